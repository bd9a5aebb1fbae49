//! What rules look at: the values a request has for each field of a policy.

use std::net::IpAddr;

use crate::Request;
use crate::matching::lower_case;

/// Where the values come from that a list of strings is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Field {
    /// `:method`.
    Method,
    /// `:path` without query and fragment.
    Path,
    /// `:authority` with the port as sent, in lower case.
    Host,
    /// The lines of the header with this name (lower case), each on its own: Envoy 1.40 does not join them.
    Header(Box<[u8]>),
    /// The server name asked for, empty without one.
    Sni,
    /// The peer's SPIFFE ID after `spiffe://`.
    Principal,
    /// What follows each `/ns/` of the peer's SPIFFE ID, up to a slash.
    Namespace,
    /// What follows each `/sa/` of the peer's SPIFFE ID.
    Account,
    /// The peer's trust domain; a slash if its SPIFFE ID ends with it, which no value but `*` fits.
    TrustDomain,
    /// Claim `iss`, if it is a string.
    Issuer,
    /// Claim `sub`, if it is a string.
    TokenSubject,
    /// The claim at this path: a string or each string of a list. Numbers, booleans and objects have no value.
    Claim(Box<[String]>),
}

impl Field {
    /// As bytes; no field's are those of another, nor the beginning of them.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let kind = match self {
            Self::Method => 0,
            Self::Path => 1,
            Self::Host => 2,
            Self::Header(name) => {
                push(&mut bytes, name);
                3
            }
            Self::Sni => 4,
            Self::Principal => 5,
            Self::Namespace => 6,
            Self::Account => 7,
            Self::TrustDomain => 8,
            Self::Issuer => 9,
            Self::TokenSubject => 10,
            Self::Claim(names) => {
                bytes.extend(names.len().to_le_bytes());
                names.iter().for_each(|name| push(&mut bytes, name.as_bytes()));
                11
            }
        };
        bytes.insert(0, kind);
        bytes
    }
}

fn push(bytes: &mut Vec<u8>, name: &[u8]) {
    bytes.extend(name.len().to_le_bytes());
    bytes.extend_from_slice(name);
}

/// Which of the connection's addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Address {
    Source,
    Remote,
    Destination,
}

const SPIFFE: &[u8] = b"spiffe://";

/// A request as rules of one action see it.
pub(super) struct Facts<'f, 'r> {
    pub(super) request: &'f Request<'r>,
    /// What a condition on an address or port yields when that is not known: true for DENY, false for ALLOW, so that
    /// not knowing never lets a request pass.
    pub(super) unknown_holds: bool,
}

impl<'f> Facts<'f, '_> {
    /// Whether `test` holds for one of the values of `field`.
    pub(super) fn any(&self, field: &Field, mut test: impl FnMut(&[u8]) -> bool) -> bool {
        let request = self.request;
        match field {
            Field::Method => request.header(b":method").is_some_and(test),
            Field::Path => test(request.path()),
            Field::Host => request.header(b":authority").is_some_and(|host| test(&lower_case(host))),
            Field::Header(name) => request.header_lines(name).any(test),
            Field::Sni => test(request.connection.sni.unwrap_or_default()),
            Field::Principal => self.spiffe_rest().is_some_and(test),
            Field::Namespace => self.peer().is_some_and(|peer| {
                tails(peer, b"/ns/").any(|tail| segment(tail).is_some_and(|(namespace, _)| test(namespace)))
            }),
            Field::Account => self.peer().is_some_and(|peer| {
                tails(peer, b"/sa/").any(|tail| test(segment(tail).map_or(tail, |(account, _)| account)))
            }),
            Field::TrustDomain => {
                self.spiffe_rest().is_some_and(|rest| test(segment(rest).map_or(b"/", |(domain, _)| domain)))
            }
            Field::Issuer => self.text_claim("iss").is_some_and(test),
            Field::TokenSubject => self.text_claim("sub").is_some_and(test),
            Field::Claim(path) => {
                self.request.identity().is_some_and(|identity| identity.any_text(path, test))
            }
        }
    }

    /// The peer's principal as its certificate has it.
    pub(super) fn peer(&self) -> Option<&'f [u8]> {
        self.request.connection.peer_principal
    }

    /// The peer's SPIFFE ID after its scheme; `None` if it has none.
    pub(super) fn spiffe_rest(&self) -> Option<&'f [u8]> {
        self.peer()?.strip_prefix(SPIFFE)
    }

    /// An address, if it is known.
    pub(super) fn address(&self, address: Address) -> Option<IpAddr> {
        let connection = &self.request.connection;
        match address {
            Address::Source => connection.source_ip,
            Address::Remote => connection.remote_ip,
            Address::Destination => connection.destination_ip,
        }
    }

    /// A claim that is a string.
    pub(super) fn text_claim(&self, name: &str) -> Option<&'f [u8]> {
        self.request.identity()?.get(name)?.as_str().map(str::as_bytes)
    }
}

/// What follows each `marker` in `text`.
pub(super) fn tails<'t>(text: &'t [u8], marker: &'static [u8]) -> impl Iterator<Item = &'t [u8]> {
    let starts = text.windows(marker.len()).enumerate().filter(move |(_, window)| *window == marker);
    starts.filter_map(move |(at, _)| text.get(at.saturating_add(marker.len())..))
}

/// Splits at the first slash; `None` without one.
pub(super) fn segment(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let slash = text.iter().position(|byte| *byte == b'/')?;
    Some((text.get(..slash)?, text.get(slash.saturating_add(1)..)?))
}
