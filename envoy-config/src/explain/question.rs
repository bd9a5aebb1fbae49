//! The request that is asked about, as the proxy's filters would see it.

use std::net::IpAddr;

use outrigger_api::{Direction, Proxy, Role};
use outrigger_core::request::is_grpc;
use outrigger_core::{Connection, Draws, Now};

use super::client_address::client_address;
use super::joined::join;
use super::known::Known;
use super::normalize::normalize;
use super::request_line::RequestLine;
use super::sanitized::sanitize;
use crate::analyze::methods::OF_HTTP_1;
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

/// Envoy answers a request itself, before any filter sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// The answer's status.
    pub status: u16,
    /// What the access log says.
    pub details: &'static str,
}

/// What stands for a value that Envoy draws for each request.
const DRAWN: &str = "(a random UUID)";

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

    /// The request's host as the client sends it; of several lines Envoy makes one.
    pub(super) fn authority(&self) -> String {
        let lines = self.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("host"));
        let hosts: Vec<_> = lines.map(|(_, host)| host.as_str()).collect();
        if hosts.is_empty() { self.line.authority.clone() } else { hosts.join(",") }
    }

    /// By which protocol the client came to a proxy in front of this one, as that says.
    pub(super) fn forwarded_proto(&self) -> Option<&str> {
        let mut lines =
            self.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("x-forwarded-proto"));
        lines.next().map(|(_, value)| value.as_str())
    }

    /// The name that TLS asks for, if it is TLS; `host`: the request's.
    pub(super) fn server_name<'q>(&'q self, host: &'q str) -> Option<&'q str> {
        (self.line.scheme == "https").then(|| self.sni.as_deref().unwrap_or(host))
    }

    /// Whether a client of gRPC asks.
    pub(super) fn is_grpc(&self) -> bool {
        let mut lines = self.headers.iter();
        let found = lines.find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        found.is_some_and(|(_, value)| is_grpc(value.as_bytes()))
    }

    /// The same without a port.
    pub(super) fn host(&self) -> String {
        let authority = self.authority();
        match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => host.to_owned(),
            _ => authority,
        }
    }

    /// The headers as the filters get them: the path normalised, names in lower case, without what is not for them, and
    /// with what Envoy itself adds.
    ///
    /// # Errors
    /// Envoy answers before any filter sees the request.
    pub fn lines(&self, proxy: &Proxy, mesh: &MeshConfig) -> Result<Lines, Refused> {
        // As its parser of HTTP/1.1 has it, which the client is taken to speak.
        if !OF_HTTP_1.contains(&self.line.method.as_str()) || !self.line.path.is_ascii() {
            return Err(Refused { status: 400, details: "http1.codec_error" });
        }
        // Of a tunnel Envoy knows no path, and so no route.
        if self.line.method == "CONNECT" {
            return Err(Refused { status: 404, details: "route_not_found" });
        }
        let gateway = proxy.role == Role::Gateway;
        let path = normalize(&self.line.path, mesh.path_normalization)
            .map_err(|_| Refused { status: 400, details: "path_normalization_failed" })?;
        let mut lines = vec![
            (":authority".to_owned(), self.authority()),
            (":path".to_owned(), path),
            (":method".to_owned(), self.line.method.clone()),
            (":scheme".to_owned(), self.line.scheme.to_owned()),
        ];
        let others = self.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("host"));
        lines.extend(others.map(|(name, value)| (name.to_ascii_lowercase(), value.clone())));
        join(&mut lines);
        sanitize(&mut lines, gateway)?;
        self.forward_certificate(proxy, &mut lines);
        self.add_forwarded(gateway, &mut lines, mesh.trusted_proxies);
        // Whose word for the protocol is believed has it taken for the scheme.
        let scheme = lines.iter().find(|(name, _)| name == "x-forwarded-proto");
        let scheme = scheme.map(|(_, scheme)| scheme.to_ascii_lowercase());
        let scheme = scheme.filter(|scheme| matches!(scheme.as_str(), "http" | "https"));
        replace(&mut lines, ":scheme", scheme);
        if gateway {
            let client = self.connection(proxy, mesh).remote_ip.map(|ip| ip.to_string());
            replace(&mut lines, "x-envoy-external-address", client);
        }
        const REQUEST_ID: &str = "x-request-id";
        if gateway || lines.iter().all(|(name, _)| name != REQUEST_ID) {
            replace(&mut lines, REQUEST_ID, Some(DRAWN.to_owned()));
        }
        Ok(Lines(lines))
    }

    /// What is told of certificates is believed of nobody without one, and a gateway and an outbound listener believe nobody.
    /// Envoy tells more of a peer than its name, which is all that is known here.
    fn forward_certificate(&self, proxy: &Proxy, lines: &mut Vec<(String, String)>) {
        const CERTIFICATE: &str = "x-forwarded-client-cert";
        let receives = proxy.role == Role::Gateway || self.direction == Direction::Inbound;
        let own = self.peer.as_ref().filter(|_| receives).map(|peer| format!("URI={peer}"));
        let told = lines.iter().find(|(name, _)| name == CERTIFICATE).map(|(_, value)| value.clone());
        lines.retain(|(name, _)| name != CERTIFICATE);
        let value = own.map(|own| match told.filter(|_| proxy.role == Role::Sidecar) {
            Some(told) => format!("{told},{own}"),
            None => own,
        });
        lines.extend(value.map(|value| (CERTIFICATE.to_owned(), value)));
    }

    /// A gateway tells the services behind it who asked, and how; a sidecar how, where nobody has said it. `trusted`: so many
    /// proxies in front of a gateway are believed.
    fn add_forwarded(&self, gateway: bool, lines: &mut Vec<(String, String)>, trusted: u32) {
        const FOR: &str = "x-forwarded-for";
        if let Some(peer) = self.from.filter(|_| gateway) {
            match lines.iter_mut().rfind(|(name, _)| name == FOR) {
                Some((_, value)) => *value = format!("{value},{peer}"),
                None => lines.push((FOR.to_owned(), peer.to_string())),
            }
        }
        const PROTOCOL: &str = "x-forwarded-proto";
        if gateway && trusted == 0 {
            lines.retain(|(name, _)| name != PROTOCOL);
        }
        if lines.iter().all(|(name, _)| name != PROTOCOL) {
            lines.push((PROTOCOL.to_owned(), self.line.scheme.to_owned()));
        }
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

/// One line of this name, if there is a value, in place of those there.
fn replace(lines: &mut Vec<(String, String)>, name: &str, value: Option<String>) {
    if let Some(value) = value {
        lines.retain(|(other, _)| other != name);
        lines.push((name.to_owned(), value));
    }
}

impl Lines {
    /// The path, normalised.
    pub(super) fn path(&self) -> &str {
        self.0.iter().find(|(name, _)| name == ":path").map_or("/", |(_, path)| path)
    }

    /// As bytes.
    pub fn borrowed(&self) -> Vec<(&[u8], &[u8])> {
        self.0.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the filters see of one header of a client's.
    #[test]
    fn envoy_believes_only_some_headers() {
        let gateway = Proxy::default();
        let sidecar = Proxy { role: Role::Sidecar, ..Proxy::default() };
        let (certificate, protocol) = ("x-forwarded-client-cert", "x-forwarded-proto");
        let peer = Some("spiffe://td/ns/a/sa/b");
        for (proxy, direction, trusted, peer, (name, value), seen) in [
            (&gateway, Direction::Inbound, 0, None, (certificate, "URI=me"), None),
            (
                &gateway,
                Direction::Inbound,
                0,
                peer,
                (certificate, "URI=me"),
                Some("URI=spiffe://td/ns/a/sa/b"),
            ),
            (&sidecar, Direction::Inbound, 0, None, (certificate, "URI=me"), None),
            (
                &sidecar,
                Direction::Inbound,
                0,
                peer,
                (certificate, "me"),
                Some("me,URI=spiffe://td/ns/a/sa/b"),
            ),
            (&sidecar, Direction::Outbound, 0, None, (certificate, "URI=me"), None),
            (&gateway, Direction::Inbound, 0, None, (protocol, "https"), Some("http")),
            (&gateway, Direction::Inbound, 1, None, (protocol, "https"), Some("https")),
            (&sidecar, Direction::Inbound, 0, None, (protocol, "https"), Some("https")),
            (&gateway, Direction::Inbound, 0, None, ("x-request-id", "mine"), Some(DRAWN)),
            (&sidecar, Direction::Outbound, 0, None, ("x-request-id", "mine"), Some("mine")),
            (&gateway, Direction::Inbound, 0, None, ("x-envoy-external-address", "me"), Some("10.0.0.9")),
            (&gateway, Direction::Inbound, 1, None, ("x-envoy-external-address", "me"), Some("10.0.0.9")),
            (&sidecar, Direction::Inbound, 0, None, ("x-envoy-external-address", "me"), Some("me")),
            (&gateway, Direction::Inbound, 0, None, ("x-envoy-max-retries", "9"), None),
            (&sidecar, Direction::Outbound, 0, None, ("x-envoy-max-retries", "9"), None),
        ] {
            let question = Question {
                line: "GET http://a/".parse().unwrap(),
                headers: vec![(name.to_owned(), value.to_owned())],
                peer: peer.map(str::to_owned),
                from: "10.0.0.9".parse().ok(),
                to: None,
                sni: None,
                direction,
                now: Now(std::time::Duration::ZERO),
                draw: 0,
            };
            let mesh = MeshConfig { trusted_proxies: trusted, ..MeshConfig::default() };
            let lines = question.lines(proxy, &mesh).unwrap();
            let found: Vec<_> = lines.0.iter().filter(|(found, _)| found == name).collect();
            let values: Vec<_> = found.iter().map(|(_, value)| value.as_str()).collect();
            assert_eq!(values, seen.into_iter().collect::<Vec<_>>(), "{proxy:?} {name} {trusted}");
        }
    }
}
