//! What a format string may ask of the host.

use std::fmt;

/// Reads what is known of the connection, the request or the response. Asked only for what a header's format names.
pub trait Lookup: fmt::Debug {
    /// An Envoy attribute as it comes over the wire; its parts are joined by NUL. `None`: it has no value.
    fn attribute(&self, path: &[u8]) -> Option<Vec<u8>>;

    /// The first line of a header of the response; `None` before there is one.
    fn response_header(&self, name: &[u8]) -> Option<Vec<u8>> {
        let _ = name;
        None
    }
}
