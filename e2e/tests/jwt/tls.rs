//! Servers of keys behind TLS.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::proxy::{Proxy, token};
use super::{keys, until};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// The port of a server whose certificate is for `name`.
fn server(authority: &Authority, name: &str) -> u16 {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    // Not the authority's own, by which it would seem to have signed itself.
    params.distinguished_name.push(DnType::CommonName, name);
    let certificate = params.signed_by(&key, authority).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = builder.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key);
    let config = Arc::new(config.unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), socket);
            let lines = BufReader::new(&mut stream).lines().map_while(Result::ok);
            lines.take_while(|line| !line.is_empty()).for_each(drop);
            let body = keys(&["rs256"]);
            let _ = write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        }
    });
    port
}

/// The command, on a machine that trusts these authorities.
fn command(folder: &Path, trusted: &Authority) -> PathBuf {
    let (roots, script) = (folder.join("roots.pem"), folder.join("outrigger"));
    std::fs::write(&roots, trusted.pem()).unwrap();
    let program = outrigger_e2e::launch::outrigger().unwrap();
    let text = format!("#!/bin/sh\nSSL_CERT_FILE={} exec {} \"$@\"\n", roots.display(), program.display());
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    script
}

#[test]
fn a_server_must_be_who_the_address_names_by_an_authority_of_this_machine() {
    let folder = tempfile::tempdir().unwrap();
    let (own, other) = (authority(), authority());
    let command = command(folder.path(), &own);
    for (port, status) in [
        (server(&own, "localhost"), 200),
        (server(&own, "somewhere.example"), 401),
        (server(&other, "localhost"), 401),
    ] {
        let rule = format!("issuer: i, jwksUri: 'https://localhost:{port}/keys'");
        let proxy = Proxy::by(&command, "", &rule);
        until(&proxy, &token("RS256", "i"), status);
        assert_eq!(proxy.get(None).status, 200);
    }
}
