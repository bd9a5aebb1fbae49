//! Envoy's request attributes, read as properties.

use std::net::IpAddr;
use std::sync::Arc;

use crate::abi;
use crate::answer::Answer;

/// A property that is present and not empty.
pub(crate) fn bytes(path: &[u8]) -> Option<Answer> {
    abi::property(path).ok().filter(|value| !value.is_empty())
}

/// A property as text.
pub(crate) fn text(path: &[u8]) -> Option<Arc<str>> {
    Some(String::from_utf8_lossy(&bytes(path)?).into())
}

/// An integer property: eight bytes, little-endian.
pub(crate) fn integer(path: &[u8]) -> Option<i64> {
    Some(i64::from_le_bytes((*bytes(path)?).try_into().ok()?))
}

/// A boolean property: one byte. False if it is not there.
pub(crate) fn flag(path: &[u8]) -> bool {
    bytes(path).is_some_and(|value| value.first().is_some_and(|byte| *byte != 0))
}

/// The IP of an address property (`ip:port`, `[ip]:port` or a bare IP).
pub(crate) fn ip(path: &[u8]) -> Option<IpAddr> {
    parse_ip(&bytes(path)?)
}

fn parse_ip(address: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(address).ok()?;
    let bare = || text.parse().ok();
    text.parse::<std::net::SocketAddr>().ok().map(|address| address.ip()).or_else(bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_with_and_without_port() {
        for (text, ip) in [
            ("10.1.2.3:80", Some("10.1.2.3")),
            ("10.1.2.3", Some("10.1.2.3")),
            ("[fd00::1]:443", Some("fd00::1")),
            ("fd00::1", Some("fd00::1")),
            ("/tmp/socket", None),
            ("", None),
        ] {
            assert_eq!(parse_ip(text.as_bytes()), ip.map(|ip| ip.parse().unwrap()));
        }
    }
}
