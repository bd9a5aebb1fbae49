//! Traces, as collectors get them: a gateway, and two services with a sidecar each.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, reason = "a test may")]

mod chain;
mod decisions;
mod mesh;
mod sampling;
mod settings;
