//! A client that speaks TLS, and tells what it saw of the handshake.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, StreamOwned, SupportedProtocolVersion};

use super::authority::{Authority, Certificate};

/// How a client connects.
#[derive(Clone)]
pub(crate) struct Client(Arc<ClientConfig>);

/// A connection.
pub(crate) struct Connection {
    stream: StreamOwned<ClientConnection, TcpStream>,
    unread: Vec<u8>,
}

impl Client {
    /// Trusts `authority`, and shows `certificate` if it is asked for one.
    pub(crate) fn new(authority: &Authority, certificate: Option<&Certificate>) -> Self {
        Self::with(authority, certificate, rustls::ALL_VERSIONS, &[b"http/1.1"])
    }

    pub(crate) fn with(
        authority: &Authority,
        certificate: Option<&Certificate>,
        versions: &[&'static SupportedProtocolVersion],
        protocols: &[&[u8]],
    ) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
        let builder = builder.with_root_certificates(authority.roots());
        let mut config = match certificate {
            Some(one) => builder.with_client_auth_cert(vec![one.der()], one.key_der()).unwrap(),
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        // Each handshake is one in full.
        config.resumption = rustls::client::Resumption::disabled();
        Self(Arc::new(config))
    }

    pub(crate) fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.0)
    }

    /// Connects to a port of this machine and asks for `name`.
    pub(crate) fn connect(&self, port: u16, name: &str) -> Result<Connection> {
        let socket = TcpStream::connect(("127.0.0.1", port))?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(Duration::from_secs(10)))?;
        let connection = ClientConnection::new(self.config(), ServerName::try_from(name.to_owned())?)?;
        let mut stream = StreamOwned::new(connection, socket);
        stream.conn.complete_io(&mut stream.sock)?;
        Ok(Connection { stream, unread: Vec::new() })
    }

    /// The status of one request on a connection of its own.
    pub(crate) fn status(&self, port: u16, name: &str) -> Result<u16> {
        Ok(self.connect(port, name)?.get(name, "/headers", "")?.0)
    }
}

impl Connection {
    /// The server's own certificate.
    pub(crate) fn certificate(&self) -> CertificateDer<'static> {
        self.stream.conn.peer_certificates().unwrap().first().unwrap().clone().into_owned()
    }

    pub(crate) fn protocol(&self) -> Option<&[u8]> {
        self.stream.conn.alpn_protocol()
    }

    /// Everything until the other side closes.
    pub(crate) fn read_all(mut self) -> String {
        let mut text = Vec::new();
        // An end without a goodbye is an end.
        let _ = self.stream.read_to_end(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Sends a GET with further header lines; the status and the body of the answer.
    pub(crate) fn get(&mut self, host: &str, path: &str, lines: &str) -> Result<(u16, String)> {
        let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n{lines}\r\n");
        self.stream.write_all(request.as_bytes())?;
        let mut buffer = [0u8; 8192];
        loop {
            if let Some(answer) = self.answer()? {
                return Ok(answer);
            }
            let read = self.stream.read(&mut buffer)?;
            if read == 0 {
                bail!("the connection was closed without an answer");
            }
            self.unread.extend_from_slice(&buffer[..read]);
        }
    }

    /// Taken out of what was read, once it is there as a whole.
    fn answer(&mut self) -> Result<Option<(u16, String)>> {
        let text = String::from_utf8_lossy(&self.unread).into_owned();
        let Some((head, rest)) = text.split_once("\r\n\r\n") else { return Ok(None) };
        let head = head.to_ascii_lowercase();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).context("no status")?;
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.context("no length")?.parse()?;
        if rest.len() < length {
            return Ok(None);
        }
        let body = rest[..length].to_owned();
        self.unread.drain(..head.len() + 4 + length);
        Ok(Some((status, body)))
    }
}
