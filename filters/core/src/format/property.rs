//! Operators that are an attribute of Envoy's in another shape.

use crate::telemetry::ResponseFlags;

/// An operator whose value the host knows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Property {
    pub(super) name: &'static str,
    /// Envoy's attribute, its parts joined by NUL.
    pub(super) path: &'static [u8],
    pub(super) shape: Shape,
}

/// One that is known once there is a response.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LateProperty {
    pub(super) property: Property,
    /// What Envoy prints before there is a response.
    pub(super) early: &'static str,
    /// What it prints if there is no value.
    pub(super) missing: &'static str,
}

/// What becomes of an attribute's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// As they are.
    Text,
    /// Blanks become underscores.
    Word,
    /// What no host name may hold becomes an underscore.
    HostName,
    /// An address without its port.
    WithoutPort,
    /// The port of an address.
    Port,
    /// A number.
    Integer,
    /// Response flags by their short names.
    Flags,
}

const fn property(name: &'static str, path: &'static [u8], shape: Shape) -> Property {
    Property { name, path, shape }
}

const fn late(
    name: &'static str,
    path: &'static [u8],
    shape: Shape,
    early: &'static str,
    missing: &'static str,
) -> LateProperty {
    LateProperty { property: property(name, path, shape), early, missing }
}

/// The address of the TCP peer, where `envoy-config` has Envoy keep it.
pub(super) const DIRECT_PEER: &[u8] = b"filter_state\0outrigger.source_ip";
const CLIENT: &[u8] = b"source\0address";
const LOCAL: &[u8] = b"destination\0address";
const UPSTREAM_LOCAL: &[u8] = b"upstream\0local_address";
/// When the request came, in nanoseconds.
pub(super) const START_TIME: &[u8] = b"request\0time";

/// Known when the request comes.
pub(super) const EARLY: &[Property] = &[
    property("CONNECTION_ID", b"connection\0id", Shape::Integer),
    property("DOWNSTREAM_DIRECT_REMOTE_ADDRESS", DIRECT_PEER, Shape::Text),
    property("DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT", DIRECT_PEER, Shape::WithoutPort),
    property("DOWNSTREAM_DIRECT_REMOTE_PORT", DIRECT_PEER, Shape::Port),
    property("DOWNSTREAM_LOCAL_ADDRESS", LOCAL, Shape::Text),
    property("DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT", LOCAL, Shape::WithoutPort),
    property("DOWNSTREAM_LOCAL_DNS_SAN", b"connection\0dns_san_local_certificate", Shape::Text),
    property("DOWNSTREAM_LOCAL_PORT", LOCAL, Shape::Port),
    property("DOWNSTREAM_LOCAL_SUBJECT", b"connection\0subject_local_certificate", Shape::Text),
    property("DOWNSTREAM_LOCAL_URI_SAN", b"connection\0uri_san_local_certificate", Shape::Text),
    property("DOWNSTREAM_PEER_DNS_SAN", b"connection\0dns_san_peer_certificate", Shape::Text),
    property("DOWNSTREAM_PEER_FINGERPRINT_256", b"connection\0sha256_peer_certificate_digest", Shape::Text),
    property("DOWNSTREAM_PEER_SUBJECT", b"connection\0subject_peer_certificate", Shape::Text),
    property("DOWNSTREAM_PEER_URI_SAN", b"connection\0uri_san_peer_certificate", Shape::Text),
    property("DOWNSTREAM_REMOTE_ADDRESS", CLIENT, Shape::Text),
    property("DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", CLIENT, Shape::WithoutPort),
    property("DOWNSTREAM_REMOTE_PORT", CLIENT, Shape::Port),
    property("DOWNSTREAM_TLS_VERSION", b"connection\0tls_version", Shape::Text),
    property("PROTOCOL", b"request\0protocol", Shape::Text),
    property("REQUESTED_SERVER_NAME", b"connection\0requested_server_name", Shape::HostName),
];

/// Known when the response comes.
pub(super) const LATE: &[LateProperty] = &[
    late("RESPONSE_CODE", b"response\0code", Shape::Integer, "0", "0"),
    late("RESPONSE_CODE_DETAILS", b"response\0code_details", Shape::Word, "", ""),
    late("RESPONSE_FLAGS", RESPONSE_FLAGS, Shape::Flags, "-", "-"),
    late("UPSTREAM_HOST", b"upstream\0address", Shape::Text, "", ""),
    late("UPSTREAM_LOCAL_ADDRESS", UPSTREAM_LOCAL, Shape::Text, "", ""),
    late("UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT", UPSTREAM_LOCAL, Shape::WithoutPort, "", ""),
    late("UPSTREAM_LOCAL_PORT", UPSTREAM_LOCAL, Shape::Port, "", ""),
    late("UPSTREAM_PEER_SUBJECT", b"upstream\0subject_peer_certificate", Shape::Text, "", ""),
    late("UPSTREAM_PEER_URI_SAN", b"upstream\0uri_san_peer_certificate", Shape::Text, "", ""),
    // The first try is counted when the request's headers are written.
    late("UPSTREAM_REQUEST_ATTEMPT_COUNT", b"upstream\0request_attempt_count", Shape::Integer, "1", "0"),
    late("UPSTREAM_TLS_VERSION", b"upstream\0tls_version", Shape::Text, "", ""),
    late("UPSTREAM_TRANSPORT_FAILURE_REASON", b"upstream\0transport_failure_reason", Shape::Word, "", ""),
];

/// Envoy's attribute with the flags of a response; a filter can't set any there.
pub(crate) const RESPONSE_FLAGS: &[u8] = b"response\0flags";

impl Shape {
    /// The text that an operator prints for an attribute.
    pub(super) fn print(self, raw: Vec<u8>) -> Vec<u8> {
        match self {
            Self::Text => raw,
            Self::Word => replaced(raw, |byte| byte != b' '),
            Self::HostName => {
                replaced(raw, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
            }
            Self::WithoutPort => split(&raw).0.to_vec(),
            Self::Port => split(&raw).1.to_vec(),
            Self::Integer => integer(&raw).map(|number| number.to_string().into_bytes()).unwrap_or_default(),
            Self::Flags => integer(&raw)
                .and_then(|flags| u64::try_from(flags).ok())
                .map(|flags| ResponseFlags(flags).names().into_bytes())
                .unwrap_or_default(),
        }
    }
}

fn replaced(mut text: Vec<u8>, keep: impl Fn(u8) -> bool) -> Vec<u8> {
    for byte in text.iter_mut().filter(|byte| !keep(**byte)) {
        *byte = b'_';
    }
    text
}

/// Eight bytes, little-endian.
pub(super) fn integer(raw: &[u8]) -> Option<i64> {
    Some(i64::from_le_bytes(raw.try_into().ok()?))
}

/// `ip:port` and `[ip]:port`; what has no port stays whole.
fn split(address: &[u8]) -> (&[u8], &[u8]) {
    let colon = address.iter().rposition(|byte| *byte == b':');
    let parts = colon.and_then(|colon| Some((address.get(..colon)?, address.get(colon + 1..)?)));
    match parts {
        Some((ip, port)) if ip.starts_with(b"[") && ip.ends_with(b"]") => {
            (ip.get(1..ip.len().saturating_sub(1)).unwrap_or_default(), port)
        }
        // More colons: an IPv6 address by itself.
        Some((ip, port)) if !ip.contains(&b':') => (ip, port),
        _ => (address, b""),
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn attributes_are_printed_as_envoy_prints_them() {
        for (shape, raw, printed) in [
            (Shape::Text, &b"a b"[..], &b"a b"[..]),
            (Shape::Word, b"a b", b"a_b"),
            (Shape::HostName, b"a-b.C9:\xff_x", b"a-b.C9___x"),
            (Shape::WithoutPort, b"10.0.0.1:80", b"10.0.0.1"),
            (Shape::WithoutPort, b"[fd00::1]:80", b"fd00::1"),
            (Shape::WithoutPort, b"fd00::1", b"fd00::1"),
            (Shape::WithoutPort, b"10.0.0.1", b"10.0.0.1"),
            (Shape::WithoutPort, b"/tmp/socket", b"/tmp/socket"),
            (Shape::Port, b"10.0.0.1:80", b"80"),
            (Shape::Port, b"[fd00::1]:80", b"80"),
            (Shape::Port, b"fd00::1", b""),
            (Shape::Port, b"/tmp/socket", b""),
            (Shape::Integer, &200i64.to_le_bytes(), b"200"),
            (Shape::Integer, b"200", b""),
            (Shape::Flags, &0i64.to_le_bytes(), b"-"),
            (Shape::Flags, &6i64.to_le_bytes(), b"UH,UT"),
        ] {
            assert_eq!(
                shape.print(raw.to_vec()).escape_ascii().to_string(),
                printed.escape_ascii().to_string()
            );
        }
    }

    #[test]
    fn names_are_sorted_for_people_and_there_once() {
        let names = || EARLY.iter().map(|p| p.name).chain(LATE.iter().map(|p| p.property.name));
        let mut sorted: Vec<_> = names().collect();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), names().count());
    }
}
