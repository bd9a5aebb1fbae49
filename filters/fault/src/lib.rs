//! The `fault` filter.
