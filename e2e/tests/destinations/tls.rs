//! TLS with a service: another proxy, whose Gateway asks for what a client has to show.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SanType};

use super::upstream::Service;
use super::{GATEWAY, Proxy, free_port, rule, service};

/// An authority in a folder, which it fills with what it signs.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    folder: PathBuf,
}

impl Authority {
    fn new(folder: &Path, name: &str) -> Self {
        let folder = folder.join(name);
        fs::create_dir(&folder).unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let own = params.self_signed(&key).unwrap();
        fs::write(folder.join("root-cert.pem"), own.pem()).unwrap();
        Self { issuer: Issuer::new(params, key), folder }
    }

    fn sign(&self, name: SanType) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.subject_alt_names = vec![name];
        let signed = params.signed_by(&key, &self.issuer).unwrap();
        fs::write(self.folder.join("cert-chain.pem"), signed.pem()).unwrap();
        fs::write(self.folder.join("key.pem"), key.serialize_pem()).unwrap();
    }

    fn file(&self, name: &str) -> String {
        self.folder.join(format!("{name}.pem")).display().to_string()
    }
}

/// A proxy that ends TLS for `reviews.test` on `port`, before a plain service.
fn server(port: u16, tls: &str, backend: &str, flags: &[&str]) -> Proxy {
    let server = format!("{{port: {{number: 443, name: https, protocol: HTTPS}}, hosts: ['*'], tls: {tls}}}");
    let gateway = GATEWAY.replace("{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}", &server);
    let opened = format!("443={port}");
    Proxy::start(&[&gateway, backend], &[&["--port", opened.as_str()], flags].concat())
}

#[test]
fn the_server_is_verified_and_the_client_shows_who_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, theirs) = (Authority::new(folder.path(), "ours"), Authority::new(folder.path(), "theirs"));
    ours.sign(SanType::DnsName("reviews.test".try_into().unwrap()));
    theirs.sign(SanType::DnsName("reviews.test".try_into().unwrap()));
    let backend = Service::start("1");
    let entry = service(&[(backend.port, "")]);
    let certificate =
        format!("serverCertificate: {}, privateKey: {}", ours.file("cert-chain"), ours.file("key"));
    let (simple, mutual, newest) = (free_port(), free_port(), free_port());
    let _simple = server(simple, &format!("{{mode: SIMPLE, {certificate}}}"), &entry, &[]);
    let asks = format!("{{mode: MUTUAL, {certificate}, caCertificates: {}}}", ours.file("root-cert"));
    let _mutual = server(mutual, &asks, &entry, &[]);
    let asks = format!("{{mode: SIMPLE, {certificate}, minProtocolVersion: TLSV1_3}}");
    let _newest = server(newest, &asks, &entry, &[]);

    let ca = |of: &Authority| format!("caCertificates: {}", of.file("root-cert"));
    let own = |of: &Authority| {
        format!("clientCertificate: {}, privateKey: {}", of.file("cert-chain"), of.file("key"))
    };
    let cases = [
        (simple, format!("mode: SIMPLE, {}", ca(&ours)), 200),
        (simple, format!("mode: SIMPLE, {}, subjectAltNames: [reviews.test]", ca(&ours)), 200),
        (simple, format!("mode: SIMPLE, {}, subjectAltNames: [ratings.test]", ca(&ours)), 503),
        (simple, format!("mode: SIMPLE, {}", ca(&theirs)), 503),
        (simple, "mode: SIMPLE".to_owned(), 503),
        (simple, "mode: SIMPLE, insecureSkipVerify: true".to_owned(), 200),
        (newest, format!("mode: SIMPLE, {}", ca(&ours)), 200),
        (mutual, format!("mode: SIMPLE, {}", ca(&ours)), 503),
        (mutual, format!("mode: MUTUAL, {}, {}", ca(&ours), own(&ours)), 200),
        (mutual, format!("mode: MUTUAL, {}, {}", ca(&ours), own(&theirs)), 503),
    ];
    let mut proxy: Option<Proxy> = None;
    for (port, tls, expected) in cases {
        let (entry, policy) = (service(&[(port, "")]), rule(&format!("tls: {{{tls}}}")));
        match &proxy {
            None => proxy = Some(Proxy::start(&[GATEWAY, &entry, &policy], &[])),
            Some(proxy) => {
                proxy.change(&[GATEWAY, &entry, &policy]);
                proxy.says("reloaded");
            }
        }
        let seen = proxy.as_ref().unwrap().get("/", &[]);
        assert_eq!(seen.status, Some(expected), "{tls}: {seen:?}");
    }
    // The name asked for is the request's host, which the certificate is not for.
    let policy = rule(&format!("tls: {{mode: SIMPLE, {}}}", ca(&ours)));
    let proxy = proxy.unwrap();
    proxy.change(&[GATEWAY, &service(&[(simple, "")]), &policy]);
    proxy.says("reloaded");
    assert_eq!(proxy.client.request("GET", "ratings.test", "/", &[]).unwrap().status, Some(503));
    assert_eq!(proxy.client.request("GET", "reviews.test", "/", &[]).unwrap().status, Some(200));
}

#[test]
fn workloads_of_the_mesh_know_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let mesh = Authority::new(folder.path(), "mesh");
    mesh.sign(SanType::URI("spiffe://cluster.local/ns/default/sa/reviews".try_into().unwrap()));
    let backend = Service::start("1");
    let certs = ["--certs", mesh.folder.to_str().unwrap()];
    let port = free_port();
    let _server = server(port, "{mode: ISTIO_MUTUAL}", &service(&[(backend.port, "")]), &certs);

    // What has no certificate gets plain text.
    let labels = "labels: {security.istio.io/tlsMode: istio}";
    let in_mesh = |account: &str| {
        let endpoint = format!(", {labels}, serviceAccount: {account}");
        service(&[(port, endpoint.as_str())]).replace("resolution", "location: MESH_INTERNAL\n  resolution")
    };
    let plain = service(&[(backend.port, "")]).replace("resolution", "location: MESH_INTERNAL\n  resolution");
    let proxy = Proxy::start(&[GATEWAY, &in_mesh("reviews")], &certs);
    let status = || proxy.get("/", &[]).status;
    assert_eq!(status(), Some(200));
    for (resources, expected) in [
        ([plain, String::new()], 200),
        ([in_mesh("ratings"), String::new()], 503),
        ([in_mesh("reviews"), rule("tls: {mode: ISTIO_MUTUAL}")], 200),
        ([in_mesh("reviews"), rule("tls: {mode: DISABLE}")], 503),
    ] {
        proxy.change(&[GATEWAY, &resources[0], &resources[1]]);
        proxy.says("reloaded");
        assert_eq!(status(), Some(expected), "{resources:?}");
    }
}
