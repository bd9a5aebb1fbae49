//! By what clients are judged where a server names authorities in two ways, and what they have revoked.

use super::authority::Authority;
use super::client::Client;
use super::{ECHO, Edge, gateway};

#[test]
fn the_secret_judges_and_not_the_file_beside_it() {
    let (own, inside, beside) = (Authority::new("own"), Authority::new("inside"), Authority::new("beside"));
    let folder = tempfile::tempdir().unwrap();
    let (file, authorities) = (folder.path().join("edge.yaml"), folder.path().join("beside.pem"));
    std::fs::write(&authorities, beside.pem()).unwrap();
    let server = format!(
        "  - {{port: {{number: 443, name: a, protocol: HTTPS}}, hosts: [a.example.com], \
         tls: {{mode: MUTUAL, credentialName: web, caCertificates: {}}}}}\n",
        authorities.display()
    );
    let secret = own.issue("a.example.com").secret("web", Some(&inside));
    std::fs::write(&file, gateway(&server) + ECHO + &secret).unwrap();
    let edge = Edge::start(&file, &[]);
    for (authority, served) in [(&inside, true), (&beside, false)] {
        let certificate = authority.issue("client.test");
        let status = Client::new(&own, Some(&certificate)).status(edge.tls, "a.example.com");
        assert_eq!(status.as_ref().ok(), served.then_some(&200), "{status:?}");
    }
}

#[test]
fn who_is_revoked_is_refused() {
    let (own, clients) = (Authority::new("own"), Authority::new("clients"));
    let (good, bad) = (clients.issue("good.test"), clients.issue("bad.test"));
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let certificate = own.issue("a.example.com");
    let names = [
        file("a.crt", &certificate.chain),
        file("a.key", &certificate.key),
        file("clients.pem", &clients.pem()),
        file("clients.crl", &clients.revoke(&bad)),
    ];
    let [chain, key, authorities, list] = names.each_ref().map(|path| path.display());
    let server = format!(
        "  - {{port: {{number: 443, name: a, protocol: HTTPS}}, hosts: [a.example.com], tls: {{mode: MUTUAL, \
         serverCertificate: {chain}, privateKey: {key}, caCertificates: {authorities}, caCrl: {list}}}}}\n"
    );
    let edge = Edge::start(&file("edge.yaml", &(gateway(&server) + ECHO)), &[]);
    for (certificate, served) in [(&good, true), (&bad, false)] {
        let status = Client::new(&own, Some(certificate)).status(edge.tls, "a.example.com");
        assert_eq!(status.as_ref().ok(), served.then_some(&200), "{status:?}");
    }
}
