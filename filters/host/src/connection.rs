//! What the rules ask of the connection, and nothing more.

use outrigger_api::Proxy;
use outrigger_core::{Attributes, Connection, Lookup, Request};

use crate::abi::{self, Map};
use crate::answer::Answer;
use crate::lines::Lines;
use crate::property;

/// Where `envoy-config` has Envoy keep the address of the TCP peer: the attribute `source.address` is the client's
/// after `X-Forwarded-For`.
pub(crate) const DIRECT_PEER: &[u8] = b"filter_state\0outrigger.source_ip";

/// The client's address, which is the TCP peer's where no `x-forwarded-for` is believed.
const CLIENT: &[u8] = b"source\0address";

/// What a header's format asks for, read when it does.
#[derive(Debug)]
pub(crate) struct HostLookup;

impl Lookup for HostLookup {
    fn attribute(&self, path: &[u8]) -> Option<Vec<u8>> {
        let client = || (path == DIRECT_PEER).then(|| property::bytes(CLIENT)).flatten();
        property::bytes(path).or_else(client).map(Vec::from)
    }

    fn response_header(&self, name: &[u8]) -> Option<Vec<u8>> {
        abi::header(Map::Response, name).ok().map(Vec::from)
    }
}

/// What the peer's verified certificate calls it, in the order in which Envoy's RBAC filter asks. Most certificates have a
/// URI, and most peers without one have no certificate, which one more question tells.
fn peer_principal() -> Option<Answer> {
    let other = || {
        property::flag(b"connection\0mtls").then(|| {
            property::bytes(b"connection\0dns_san_peer_certificate")
                .or_else(|| property::bytes(b"connection\0subject_peer_certificate"))
        })?
    };
    property::bytes(b"connection\0uri_san_peer_certificate").or_else(other)
}

/// What the configuration says of the listener, so that Envoy need not be asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Listener {
    /// The workload's port as the resources speak of it: the listener's own may be mapped to another.
    port: Option<u16>,
    /// The attribute `source.address` is the TCP peer's.
    client_is_peer: bool,
}

impl From<&Proxy> for Listener {
    fn from(proxy: &Proxy) -> Self {
        Self { port: proxy.port, client_is_peer: proxy.client_is_peer }
    }
}

/// As long as nothing else is asked of it.
const UNREAD: Connection<'static> = Connection { lookup: Some(&HostLookup), ..Connection::UNKNOWN };

/// Connection attributes that had to be copied out of the host.
#[derive(Debug)]
struct Facts {
    known: Connection<'static>,
    sni: Option<Answer>,
    peer_principal: Option<Answer>,
}

impl Facts {
    /// Reads `wanted` from Envoy; each costs about a microsecond.
    fn read(wanted: Attributes, listener: Listener) -> Self {
        let mut facts = Self { known: UNREAD, sni: None, peer_principal: None };
        if wanted.contains(Attributes::REMOTE_IP) {
            facts.known.remote_ip = property::ip(CLIENT);
        }
        if wanted.contains(Attributes::SOURCE_IP) {
            // Any other address of the client may be what the client says of itself.
            facts.known.source_ip = match listener.client_is_peer {
                true => facts.known.remote_ip.or_else(|| property::ip(CLIENT)),
                false => property::ip(DIRECT_PEER),
            };
        }
        if wanted.contains(Attributes::DESTINATION_IP) {
            facts.known.destination_ip = property::ip(b"destination\0address");
        }
        if wanted.contains(Attributes::DESTINATION_PORT) {
            let ask_envoy =
                || property::integer(b"destination\0port").and_then(|port| u16::try_from(port).ok());
            facts.known.destination_port = listener.port.or_else(ask_envoy);
        }
        if wanted.contains(Attributes::SNI) {
            facts.sni = property::bytes(b"connection\0requested_server_name");
        }
        if wanted.contains(Attributes::PEER_PRINCIPAL) {
            facts.peer_principal = peer_principal();
        }
        facts
    }

    /// The view that the engine takes.
    fn connection(&self) -> Connection<'_> {
        Connection { sni: self.sni.as_deref(), peer_principal: self.peer_principal.as_deref(), ..self.known }
    }
}

/// Reads what is `wanted` of the current request, and of its connection.
///
/// # Errors
/// Envoy does not hand over its headers.
#[inline(always)]
pub(crate) fn with_request<R>(
    wanted: Attributes,
    listener: Listener,
    then: impl FnOnce(&Request<'_>) -> R,
) -> Result<R, &'static str> {
    let read = Lines::read(wanted).map_err(|_| "outrigger_no_request_headers")?;
    let lines = read.parse();
    if wanted == wanted.headers() {
        return Ok(then(&Request::new(&lines, &UNREAD)));
    }
    let facts = Facts::read(wanted, listener);
    Ok(then(&Request::new(&lines, &facts.connection())))
}
