//! Whether the ports that Envoy will want are free: it would share them with another Envoy without a word.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};

/// What the port of the administration interface is for.
pub(super) const ADMIN: &str = "admin";

/// Why a port can't be had.
pub(super) fn taken(address: SocketAddr, what: &str) -> Option<String> {
    let error = TcpListener::bind(address).err()?;
    let port = address.port();
    let reason = match error.kind() {
        ErrorKind::AddrInUse => "is taken by another program".to_owned(),
        ErrorKind::PermissionDenied => "needs more rights than you have".to_owned(),
        _ => format!("can't be had: {error}"),
    };
    let hint = match what {
        ADMIN => "choose another with `--admin`, such as `--admin 127.0.0.1:15099`",
        _ if error.kind() == ErrorKind::AddrNotAvailable => {
            "listen on an address of this machine with `--bind`, such as `--bind 0.0.0.0`"
        }
        _ => "listen elsewhere with `--port`, such as `--port 80=8080`",
    };
    Some(format!("port {port} ({what} on `{}`) {reason}\nhint: {hint}", address.ip()))
}

/// Whether `new` has its port from one of `old`, which our own Envoy holds: it takes both until the old one is gone.
pub(super) fn shares_one(new: SocketAddr, old: &[SocketAddr]) -> bool {
    old.iter().any(|old| {
        let overlap = new.ip() == old.ip() || new.ip().is_unspecified() || old.ip().is_unspecified();
        new.port() == old.port() && overlap
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_ports_are_not_taken() {
        let address = |text: &str| text.parse::<SocketAddr>().unwrap();
        let old = [address("0.0.0.0:8080"), address("127.0.0.1:9090")];
        for own in ["0.0.0.0:8080", "127.0.0.1:8080", "127.0.0.1:9090", "0.0.0.0:9090", "[::]:9090"] {
            assert!(shares_one(address(own), &old), "{own}");
        }
        for other in ["0.0.0.0:8081", "127.0.0.2:9090"] {
            assert!(!shares_one(address(other), &old), "{other}");
        }
    }

    #[test]
    fn a_taken_port_is_named() {
        let holder = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = holder.local_addr().unwrap();
        let message = taken(address, "listener").unwrap();
        assert!(message.starts_with(&format!("port {} ", address.port())), "{message}");
        assert!(message.contains("taken") && message.contains("--port"), "{message}");
        drop(holder);
        assert_eq!(taken(address, "listener"), None);
    }
}
