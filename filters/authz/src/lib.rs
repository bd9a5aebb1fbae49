//! The `authz` filter.
