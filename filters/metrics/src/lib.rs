//! The `metrics` filter.
