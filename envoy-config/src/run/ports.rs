//! Whether the ports that Envoy will want are free: it would share them with another Envoy without a word.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};

/// Why a port can't be had.
pub(super) fn taken(address: SocketAddr, what: &str) -> Option<String> {
    let error = TcpListener::bind(address).err()?;
    let port = address.port();
    let (reason, hint) = match error.kind() {
        ErrorKind::AddrInUse => ("is taken by another program".to_owned(), "stop it, or listen elsewhere"),
        ErrorKind::PermissionDenied => ("needs more rights than you have".to_owned(), "listen elsewhere"),
        _ => (format!("can't be had: {error}"), "listen elsewhere"),
    };
    let flag =
        if what == "admin" { "--admin 127.0.0.1:15099".to_owned() } else { format!("--port {port}=8080") };
    Some(format!("port {port} ({what} on `{}`) {reason}\nhint: {hint}, such as with `{flag}`", address.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

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
