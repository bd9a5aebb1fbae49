//! The request that is asked about, as the proxy's filters would see it.

use std::net::IpAddr;

use outrigger_api::{Direction, Proxy, Role};
use outrigger_core::{Connection, Draws, Now};

use super::client_address::client_address;
use super::known::Known;
use super::normalize::{BadPath, normalize};
use super::request_line::RequestLine;
use crate::mesh_config::MeshConfig;

/// One request and its circumstances.
#[derive(Debug, Clone)]
pub struct Question {
    /// Method and URL.
    pub line: RequestLine,
    /// Further headers as the client sends them.
    pub headers: Vec<(String, String)>,
    /// The peer's SPIFFE ID, with its `spiffe://`.
    pub peer: Option<String>,
    /// The peer's address.
    pub from: Option<IpAddr>,
    /// The address it reached.
    pub to: Option<IpAddr>,
    /// The server name of the TLS handshake.
    pub sni: Option<String>,
    /// Of a sidecar, which listener is asked.
    pub direction: Direction,
    /// The moment.
    pub now: Now,
    /// Where every random draw lands, in millionths.
    pub draw: u32,
}

/// Header lines in Envoy's form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lines(Vec<(String, String)>);

impl Question {
    /// The draws.
    pub fn draws(&self) -> Draws {
        Draws::Fixed(self.draw)
    }

    /// The proxy's part in this request.
    pub fn proxy(&self, proxy: &Proxy) -> Proxy {
        let direction = (proxy.role == Role::Sidecar).then_some(self.direction);
        Proxy { direction, ..proxy.clone() }
    }

    /// The request's host as the client sends it.
    pub(super) fn authority(&self) -> &str {
        let host = self.headers.iter().rfind(|(name, _)| name.eq_ignore_ascii_case("host"));
        host.map_or(&self.line.authority, |(_, host)| host)
    }

    /// The same without a port.
    pub(super) fn host(&self) -> &str {
        let authority = self.authority();
        match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => host,
            _ => authority,
        }
    }

    /// The headers as the filters get them: the path normalised, names in lower case, and what Envoy itself adds.
    ///
    /// # Errors
    /// Envoy answers 400 before any filter sees the request.
    pub fn lines(&self, proxy: &Proxy, mesh: &MeshConfig) -> Result<Lines, BadPath> {
        let mut lines = vec![
            (":authority".to_owned(), self.authority().to_owned()),
            (":path".to_owned(), normalize(&self.line.path, mesh.path_normalization)?),
            (":method".to_owned(), self.line.method.clone()),
            (":scheme".to_owned(), self.line.scheme.to_owned()),
        ];
        let others = self.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("host"));
        lines.extend(others.map(|(name, value)| (name.to_ascii_lowercase(), value.clone())));
        if proxy.role == Role::Gateway {
            self.add_forwarded(&mut lines);
        }
        Ok(Lines(lines))
    }

    /// A gateway tells the services behind it who asked, and how.
    fn add_forwarded(&self, lines: &mut Vec<(String, String)>) {
        const FOR: &str = "x-forwarded-for";
        if let Some(peer) = self.from {
            match lines.iter_mut().rfind(|(name, _)| name == FOR) {
                Some((_, value)) => *value = format!("{value},{peer}"),
                None => lines.push((FOR.to_owned(), peer.to_string())),
            }
        }
        const PROTOCOL: &str = "x-forwarded-proto";
        lines.retain(|(name, _)| name != PROTOCOL);
        lines.push((PROTOCOL.to_owned(), self.line.scheme.to_owned()));
    }

    /// What is known of the connection.
    pub(super) fn connection<'q>(&'q self, proxy: &Proxy, mesh: &MeshConfig) -> Connection<'q> {
        let forwarded: Vec<_> = self
            .headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("x-forwarded-for"))
            .map(|(_, value)| value.as_str())
            .collect();
        let gateway = proxy.role == Role::Gateway;
        let trusted = mesh.trusted_proxies;
        Connection {
            source_ip: self.from,
            remote_ip: client_address(self.from, &forwarded.join(","), gateway, trusted),
            destination_ip: self.to,
            destination_port: Some(self.line.port),
            sni: self.sni.as_deref().map(str::as_bytes),
            peer_principal: self.peer.as_deref().map(str::as_bytes),
            lookup: None,
        }
    }

    /// What header formats may ask of `connection`.
    pub(super) fn known(&self, connection: &Connection<'_>) -> Known<'_> {
        Known {
            client: connection.remote_ip,
            peer: connection.source_ip,
            local: connection.destination_ip,
            port: self.line.port,
            sni: self.sni.as_deref(),
            peer_id: self.peer.as_deref(),
            now: self.now,
        }
    }
}

impl Lines {
    /// As bytes.
    pub fn borrowed(&self) -> Vec<(&[u8], &[u8])> {
        self.0.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect()
    }
}
