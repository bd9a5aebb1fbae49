//! How a request reaches a listener, besides its port.

use std::fmt;
use std::net::Ipv4Addr;

/// The way of a request. By default it comes in plain text, from where the system likes.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Wire {
    /// The client's own address, which is one of the loopback interface.
    pub(super) source: Option<Ipv4Addr>,
    /// Whether it goes to the second of the listener's addresses.
    pub(super) second_address: bool,
    /// `None`: plain text.
    pub(super) tls: Option<Tls>,
}

/// What a client tells in a handshake.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Tls {
    /// The server's name that it asks for.
    pub(super) server_name: Option<String>,
    /// The certificate that it shows, by its name among those of the test.
    pub(super) peer: Option<&'static str>,
}

impl Wire {
    /// Ways that are plainer by one step.
    pub(super) fn plainer(&self) -> Vec<Self> {
        let mut plainer = Vec::new();
        if self.source.is_some() {
            plainer.push(Self { source: None, ..self.clone() });
        }
        if self.second_address {
            plainer.push(Self { second_address: false, ..self.clone() });
        }
        if let Some(tls) = &self.tls {
            plainer.push(Self { tls: None, ..self.clone() });
            if tls.server_name.is_some() {
                plainer.push(Self { tls: Some(Tls { server_name: None, ..tls.clone() }), ..self.clone() });
            }
            if tls.peer.is_some() {
                plainer.push(Self { tls: Some(Tls { peer: None, ..tls.clone() }), ..self.clone() });
            }
        }
        plainer
    }
}

impl fmt::Display for Wire {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(source) = self.source {
            write!(formatter, ", from {source}")?;
        }
        if self.second_address {
            write!(formatter, ", to the second address")?;
        }
        if let Some(tls) = &self.tls {
            let name = tls.server_name.as_deref().unwrap_or("no name");
            write!(formatter, ", by TLS for {name} with certificate {}", tls.peer.unwrap_or("none"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_ends_at_the_plainest() {
        let tls = Tls { server_name: Some("a".to_owned()), peer: Some("b") };
        let wire = Wire { source: Some(Ipv4Addr::LOCALHOST), second_address: true, tls: Some(tls) };
        assert_eq!(
            wire.to_string(),
            ", from 127.0.0.1, to the second address, by TLS for a with certificate b"
        );
        assert_eq!(wire.plainer().len(), 5);
        let (mut plainest, mut steps) = (wire, 0);
        while let Some(next) = plainest.plainer().first() {
            (plainest, steps) = (next.clone(), steps + 1);
        }
        assert_eq!((plainest, steps), (Wire::default(), 3));
    }
}
