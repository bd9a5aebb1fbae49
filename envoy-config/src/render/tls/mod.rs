//! TLS contexts.

pub(super) mod downstream;
