//! Certificates that change while connections go on.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::authority::{Authority, Certificate};
use super::client::Client;
use super::{ECHO, Edge, gateway};

const SERVERS: &str = "  - {port: {number: 443, name: one, protocol: HTTPS}, hosts: [one.example.com], tls: {mode: SIMPLE, credentialName: one}}
  - {port: {number: 443, name: two, protocol: HTTPS}, hosts: [two.example.com], tls: {mode: SIMPLE, credentialName: two}}
";

#[test]
fn a_new_certificate_takes_over_without_a_failed_request() {
    let own = Authority::new("own");
    let issue = |name: &str| own.issue(&format!("{name}.example.com"));
    let folder = tempfile::tempdir().unwrap();
    let (file, secrets) = (folder.path().join("edge.yaml"), folder.path().join("secret.yaml"));
    let credentials = folder.path().join("credentials");
    let shown = [issue("one"), issue("two")];
    std::fs::write(&file, gateway(SERVERS) + ECHO).unwrap();
    std::fs::write(&secrets, shown[0].secret("one", None)).unwrap();
    write_credential(&credentials, &shown[1]);
    let more =
        ["-f".to_owned(), secrets.display().to_string(), format!("--credentials={}", credentials.display())];
    let edge = Edge::start(&file, &more);
    let client = Client::new(&own, None);
    let certificate = |name: &str| client.connect(edge.tls, name).unwrap().certificate();
    assert_eq!(["one.example.com", "two.example.com"].map(certificate), shown.map(|one| one.der()));

    let (stop, sent) = (AtomicBool::new(false), AtomicU32::new(0));
    std::thread::scope(|scope| {
        let workers: Vec<_> = ["one.example.com", "two.example.com"]
            .into_iter()
            .map(|name| {
                let (stop, sent, client, port) = (&stop, &sent, &client, edge.tls);
                scope.spawn(move || {
                    let mut connection = client.connect(port, name)?;
                    while !stop.load(Ordering::Relaxed) {
                        let (status, body) = connection.get(name, "/status/200", "")?;
                        anyhow::ensure!(status == 200, "{status} {body}");
                        sent.fetch_add(1, Ordering::Relaxed);
                    }
                    anyhow::Ok(())
                })
            })
            .collect();
        let wait_for = |name: &str, wanted: &Certificate| {
            let deadline = Instant::now() + Duration::from_secs(20);
            while certificate(name) != wanted.der() {
                assert!(Instant::now() < deadline, "the new certificate of {name} never took over");
                std::thread::sleep(Duration::from_millis(20));
            }
        };
        let mut last = Vec::new();
        for round in 0..3 {
            let (one, two) = (issue("one"), issue("two"));
            std::fs::write(&secrets, one.secret("one", None)).unwrap();
            wait_for("one.example.com", &one);
            write_credential(&credentials, &two);
            wait_for("two.example.com", &two);
            // What doesn't fit is told, without a line of it, and harms nobody.
            if round == 1 {
                let mixed = Certificate { key: two.key.clone(), ..one.clone() };
                std::fs::write(&secrets, mixed.secret("one", None)).unwrap();
                refused(&edge);
                assert_eq!(certificate("one.example.com"), one.der());
            }
            last = vec![one, two];
        }
        std::thread::sleep(Duration::from_millis(300));
        stop.store(true, Ordering::Relaxed);
        for worker in workers {
            worker.join().unwrap().unwrap();
        }
        assert_eq!(
            ["one.example.com", "two.example.com"].map(certificate).to_vec(),
            last.iter().map(Certificate::der).collect::<Vec<_>>()
        );
    });
    let sent = sent.load(Ordering::Relaxed);
    assert!(sent > 200, "only {sent} requests were sent");
}

fn write_credential(folder: &Path, certificate: &Certificate) {
    let own = folder.join("two");
    std::fs::create_dir_all(&own).unwrap();
    std::fs::write(own.join("tls.crt"), &certificate.chain).unwrap();
    std::fs::write(own.join("tls.key"), &certificate.key).unwrap();
}

fn refused(edge: &Edge) {
    let lines = edge.lines();
    let mut said = String::new();
    while !said.contains("not reloaded") {
        said += &lines.recv_timeout(Duration::from_secs(20)).unwrap();
    }
    assert!(said.contains("the private key does not belong to the certificate"), "{said}");
    assert!(!said.contains("PRIVATE KEY"), "{said}");
}
