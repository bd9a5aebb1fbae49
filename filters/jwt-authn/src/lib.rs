//! The `jwt-authn` filter.
