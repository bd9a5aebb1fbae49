//! Servers that end TLS: by name, by what they ask of clients, by version.

use rustls::version::{TLS12, TLS13};

use super::authority::Authority;
use super::client::Client;
use super::{ECHO, Edge, gateway};

fn server(name: &str, tls: &str) -> String {
    format!(
        "  - {{port: {{number: 443, name: {name}, protocol: HTTPS}}, hosts: [{name}.example.com], tls: {{{tls}}}}}\n"
    )
}

#[test]
fn each_server_shows_its_certificate_and_asks_what_it_says() {
    let (own, clients, foreign) =
        (Authority::new("own"), Authority::new("clients"), Authority::new("foreign"));
    let (one, two) = (own.issue("one.example.com"), own.issue("*.example.com"));
    let servers = [
        "  - {port: {number: 80, name: http, protocol: HTTP}, hosts: ['*.example.com'], tls: {httpsRedirect: true}}\n"
            .to_owned(),
        server("one", "mode: SIMPLE, credentialName: one"),
        server("two", "mode: SIMPLE, credentialName: two"),
        server("mutual", "mode: MUTUAL, credentialName: two"),
        server("named", "mode: MUTUAL, credentialName: two, subjectAltNames: [alice.test]"),
        server("optional", "mode: OPTIONAL_MUTUAL, credentialName: two"),
        server("unverified", "mode: MUTUAL, credentialName: two, insecureSkipVerify: true"),
        server("new", "mode: SIMPLE, credentialName: two, minProtocolVersion: TLSV1_3"),
        server("old", "mode: SIMPLE, credentialName: two, maxProtocolVersion: TLSV1_2, cipherSuites: [ECDHE-ECDSA-AES256-GCM-SHA384]"),
    ];
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("edge.yaml");
    let moved = "http: [{match: [{uri: {prefix: /old}}], redirect: {uri: /elsewhere}}, ";
    let echo = ECHO.replace("http: [", moved);
    let secrets = one.secret("one", None) + &two.secret("two", Some(&clients));
    std::fs::write(&file, gateway(&servers.concat()) + &echo + &secrets).unwrap();
    let edge = Edge::start(&file, &[]);
    let (alice, bob, mallory) =
        (clients.issue("alice.test"), clients.issue("bob.test"), foreign.issue("alice.test"));
    let [nobody, alice, bob, mallory] =
        [None, Some(&alice), Some(&bob), Some(&mallory)].map(|certificate| Client::new(&own, certificate));

    // By the name asked for: a certificate and hosts of its own.
    for (name, certificate) in [("one", &one), ("two", &two)] {
        let host = format!("{name}.example.com");
        let mut connection = nobody.connect(edge.tls, &host).unwrap();
        assert_eq!(connection.certificate(), certificate.der(), "{name}");
        assert_eq!(connection.get(&host, "/headers", "").unwrap().0, 200);
        assert_eq!(
            connection.get("mutual.example.com", "/headers", "").unwrap().0,
            404,
            "another server's host"
        );
    }
    assert!(nobody.connect(edge.tls, "none.example.com").is_err(), "no server has that name");

    // By the client's certificate.
    for (name, who, served) in [
        ("mutual", &nobody, false),
        ("mutual", &mallory, false),
        ("mutual", &alice, true),
        ("named", &bob, false),
        ("named", &alice, true),
        ("optional", &nobody, true),
        ("optional", &mallory, false),
        ("optional", &alice, true),
        ("unverified", &nobody, false),
        ("unverified", &mallory, true),
    ] {
        let status = who.status(edge.tls, &format!("{name}.example.com"));
        assert_eq!(status.as_ref().ok(), served.then_some(&200), "{name}: {status:?}");
    }
    forwarded_certificates(&edge, &alice, &nobody);

    // By the version.
    let with = |version| Client::with(&own, None, &[version], &[b"http/1.1"]);
    for (name, version, served) in [
        ("new", &TLS12, false),
        ("new", &TLS13, true),
        ("old", &TLS13, false),
        ("old", &TLS12, true),
        ("one", &TLS12, true),
    ] {
        let status = with(version).status(edge.tls, &format!("{name}.example.com"));
        assert_eq!(status.as_ref().ok(), served.then_some(&200), "{name} {version:?}: {status:?}");
    }
    http2(&edge, &own);

    // Plain HTTP is sent to HTTPS, whatever the routes say.
    for (host, path) in [("one.example.com", "/headers?a=b"), ("two.example.com:80", "/old")] {
        let seen = edge.running.client.request("GET", host, path, &[]).unwrap();
        assert_eq!(seen.status, Some(301), "{seen:?}");
        assert_eq!(seen.headers.get("location").map(String::as_str), Some(&*format!("https://{host}{path}")));
    }
}

/// Services are told of a certificate that was checked, and of none that a client only claims.
fn forwarded_certificates(edge: &Edge, alice: &Client, nobody: &Client) {
    let claim = "x-forwarded-client-cert: Subject=\"CN=claimed\"\r\n";
    for (who, expected) in [(alice, true), (nobody, false)] {
        let mut connection = who.connect(edge.tls, "optional.example.com").unwrap();
        let (_, body) = connection.get("optional.example.com", "/headers", claim).unwrap();
        let body = body.to_ascii_lowercase();
        assert_eq!(body.contains("dns=alice.test"), expected, "{body}");
        assert!(!body.contains("claimed"), "{body}");
    }
}

/// A client that offers both gets HTTP/2.
fn http2(edge: &Edge, own: &Authority) {
    let both = Client::with(own, None, rustls::ALL_VERSIONS, &[b"h2", b"http/1.1"]);
    assert_eq!(both.connect(edge.tls, "one.example.com").unwrap().protocol(), Some(&b"h2"[..]));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let status = runtime.block_on(async {
        let socket = tokio::net::TcpStream::connect(("127.0.0.1", edge.tls)).await.unwrap();
        let name = "one.example.com".try_into().unwrap();
        let stream = tokio_rustls::TlsConnector::from(both.config()).connect(name, socket).await.unwrap();
        let io = hyper_util::rt::TokioIo::new(stream);
        let executor = hyper_util::rt::TokioExecutor::new();
        let (mut sender, connection) = hyper::client::conn::http2::handshake(executor, io).await.unwrap();
        tokio::spawn(connection);
        let request = http::Request::get("https://one.example.com/headers").body(String::new()).unwrap();
        sender.send_request(request).await.unwrap().status()
    });
    assert_eq!(status, 200);
}
