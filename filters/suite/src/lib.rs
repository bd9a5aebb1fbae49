//! The `suite` filter.
