//! What header formats ask of a connection, as far as the question tells.

use std::net::{IpAddr, SocketAddr};

use outrigger_core::{Lookup, Now};

/// The port of a client that nobody has asked for.
const SOME_PORT: u16 = 0;

/// The connection that the question speaks of.
#[derive(Debug)]
pub(super) struct Known<'q> {
    pub(super) client: Option<IpAddr>,
    pub(super) peer: Option<IpAddr>,
    pub(super) local: Option<IpAddr>,
    pub(super) port: u16,
    pub(super) sni: Option<&'q str>,
    pub(super) peer_id: Option<&'q str>,
    pub(super) now: Now,
}

impl Lookup for Known<'_> {
    /// What is not known is shown as the attribute's name in angle brackets.
    fn attribute(&self, path: &[u8]) -> Option<Vec<u8>> {
        let name = String::from_utf8_lossy(path).replace('\0', ".");
        let address = |ip: Option<IpAddr>, port| ip.map(|ip| SocketAddr::new(ip, port).to_string());
        let text = |text: Option<&str>| Some(text.unwrap_or_default().to_owned());
        let known = match name.as_str() {
            "source.address" => address(self.client, SOME_PORT),
            "filter_state.outrigger.source_ip" => address(self.peer, SOME_PORT),
            "destination.address" => address(self.local, self.port),
            "connection.requested_server_name" => text(self.sni),
            "connection.uri_san_peer_certificate" => text(self.peer_id),
            "request.time" => {
                let nanos = i64::try_from(self.now.0.as_nanos()).unwrap_or(i64::MAX);
                return Some(nanos.to_le_bytes().to_vec());
            }
            _ => None,
        };
        Some(known.unwrap_or_else(|| format!("<{name}>")).into_bytes())
    }
}
