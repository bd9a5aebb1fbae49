//! Pure policy engine: a request in, one decision out.
