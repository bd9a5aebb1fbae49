//! The `router` filter.
