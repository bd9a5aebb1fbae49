//! Certificates of twelve seconds between two sidecars: renewed at half of that, which leaves a busy machine six to do it in, and
//! their root replaced, while each request needs a handshake of its own; and certificates that no sidecar accepts.
//! `OUTRIGGER_HEAVY=1`: 20 s each, for five minutes.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime};

use outrigger_e2e::launch::Local;
use rcgen::{CertificateParams, Issuer, KeyPair, SanType};

use super::certs::Ca;
use super::client::{Shown, ask};
use super::sidecar::{Ports, Sidecar, wait_until};
use super::{b_for_callers, mode};

const A: (&str, &str) = ("demo-app", "a");
const B: (&str, &str) = ("shop", "b");

/// B for its callers; every request has a connection of its own.
fn callers_of_b(port: u16) -> String {
    b_for_callers(port)
        + "---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: b, namespace: shop}
spec:
  host: b.shop.svc.cluster.local
  trafficPolicy: {connectionPool: {http: {maxRequestsPerConnection: 1}}}
"
}

/// Requests from A to B without a pause.
struct Load {
    stop: AtomicBool,
    sent: AtomicU32,
}

/// Ends a load, also when the test fails in between: its threads would be waited for.
struct End<'l>(&'l Load);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::Relaxed);
    }
}

impl Load {
    const WORKERS: usize = 2;

    /// Until it is told to stop; what went wrong.
    fn work(&self, a: &Sidecar) -> Vec<String> {
        let mut failures = Vec::new();
        while !self.stop.load(Ordering::Relaxed) {
            let seen = a.send("GET", "b.shop", "/status/200");
            if seen.status != Some(200) {
                failures.push(format!("{seen:?}"));
            }
            self.sent.fetch_add(1, Ordering::Relaxed);
            std::thread::sleep(Duration::from_millis(2));
        }
        failures
    }
}

/// Waits until a sidecar has a certificate that was issued after `moment`.
fn has_new(ca: &Ca, sidecar: &Sidecar, (namespace, account): (&str, &str), moment: SystemTime) {
    wait_until("a certificate of the new state takes over", || {
        ca.newest(namespace, account)
            .is_some_and(|(when, serial)| when > moment && sidecar.certificate_serials().contains(&serial))
    });
}

#[test]
fn certificates_and_their_root_are_renewed_without_a_failed_handshake() {
    let heavy = std::env::var_os("OUTRIGGER_HEAVY").is_some();
    let (ttl, duration) = if heavy { ("20s", 300) } else { ("12s", 14) };
    let applications = Local::start().unwrap();
    let httpbin = applications.services.port("httpbin", "v1").unwrap();
    let ca = Ca::new();
    let serve = ca.serve(&[A, B], ttl);
    let ports = Ports::free();
    let b = Sidecar::start(B, &ca.workload(B.0, B.1), httpbin, ports, &mode("STRICT"));
    let a = Sidecar::start(A, &ca.workload(A.0, A.1), httpbin, Ports::free(), &callers_of_b(ports.inbound));
    // Of the first root, for as long as the test lasts.
    let old = Shown::read(&ca.issue("demo-app", "old", "1h"));

    let load = Load { stop: AtomicBool::new(false), sent: AtomicU32::new(0) };
    let mut serials = std::collections::BTreeSet::new();
    let failures = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..Load::WORKERS).map(|_| scope.spawn(|| load.work(&a))).collect();
        let end_of_load = End(&load);
        let end = Instant::now() + Duration::from_secs(duration);
        while Instant::now() < end {
            serials.extend(a.certificate_serials().into_iter().chain(b.certificate_serials()));
            std::thread::sleep(Duration::from_millis(500));
        }
        assert_eq!(ask(ports.inbound, &old), Some(200));
        for step in ["begin", "switch", "finish"] {
            let moment = SystemTime::now();
            ca.rotate(step);
            has_new(&ca, &a, A, moment);
            has_new(&ca, &b, B, moment);
        }
        // Envoy's workers take a certificate over a moment after the administration interface shows it.
        wait_until("the first root is trusted no more", || ask(ports.inbound, &old).is_none());
        drop(end_of_load);
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect::<Vec<_>>()
    });
    drop(serve);
    let sent = load.sent.load(Ordering::Relaxed);
    let handshakes = a.statistic(r"^cluster\..*b\.shop.*\.ssl\.handshake$");
    eprintln!(
        "{} failures, {sent} requests, {handshakes} handshakes, {} certificates in {duration} s, then a new root",
        failures.len(),
        serials.len()
    );
    let trouble = || format!("A:\n{}\nB:\n{}", a.trouble(), b.trouble());
    assert!(
        failures.is_empty(),
        "{} of {sent} requests failed: {}\n{}",
        failures.len(),
        failures[0],
        trouble()
    );
    assert_eq!(
        a.statistic(r"^cluster\..*b\.shop.*\.ssl\.(connection_error|fail_verify.*)$"),
        0,
        "{}",
        trouble()
    );
    assert!(handshakes >= u64::from(sent), "{handshakes} handshakes for {sent} requests");
    // Two sidecars, a new one each at half of its life.
    let wanted = if heavy { 50 } else { 6 };
    assert!(serials.len() >= wanted, "only {} certificates were shown", serials.len());
}

/// A certificate that the authority of `ca` would not issue, signed by its key.
fn forged(ca: &Ca, id: &str) -> Shown {
    let text = |name: &str| std::fs::read_to_string(ca.at("ca").join(name)).unwrap();
    let key = KeyPair::from_pem(&text("ca-key.pem")).unwrap();
    let issuer = Issuer::from_ca_cert_pem(&text("ca-cert.pem"), key).unwrap();
    let (params, own) = wanted(id);
    Shown::new(&params.signed_by(&own, &issuer).unwrap().pem(), &own.serialize_pem())
}

fn wanted(id: &str) -> (CertificateParams, KeyPair) {
    let mut params = CertificateParams::default();
    params.subject_alt_names = vec![SanType::URI(id.try_into().unwrap())];
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    params.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
    (params, KeyPair::generate().unwrap())
}

#[test]
fn who_has_no_valid_certificate_of_the_mesh_is_refused() {
    let applications = Local::start().unwrap();
    let httpbin = applications.services.port("httpbin", "v1").unwrap();
    let ca = Ca::new();
    let expired = Shown::read(&ca.issue("demo-app", "late", "1s"));
    let ports = Ports::free();
    let b = Sidecar::start(B, &ca.issue(B.0, B.1, "1h"), httpbin, ports, &mode("STRICT"));
    std::thread::sleep(Duration::from_secs(1));
    let good = Shown::read(&ca.issue("demo-app", "a", "1h"));
    let of_a = "spiffe://cluster.local/ns/demo-app/sa/a";
    let (params, key) = wanted(of_a);
    let self_signed = Shown::new(&params.self_signed(&key).unwrap().pem(), &key.serialize_pem());

    let by = |name: &str| b.statistic(&format!(r"^listener\..*_{}\.ssl\.{name}$", ports.inbound));
    assert_eq!(ask(ports.inbound, &good), Some(200));
    for (what, shown) in [
        ("expired", expired),
        ("foreign", Shown::read(&Ca::new().issue("demo-app", "a", "1h"))),
        ("self-signed", self_signed),
        // What the authority's key signs is for its own trust domain all the same.
        ("of another trust domain", forged(&ca, "spiffe://elsewhere/ns/demo-app/sa/a")),
    ] {
        let before = by("fail_verify_error");
        assert_eq!(ask(ports.inbound, &shown), None, "{what}");
        assert_eq!(by("fail_verify_error"), before + 1, "{what}: not for this reason");
    }
    assert_eq!(ask(ports.inbound, &forged(&ca, of_a)), Some(200));
    assert_eq!(ask(ports.inbound, &Shown::nothing()), None);
    // Envoy tells the client first, and counts then.
    wait_until("a client without a certificate is counted as such", || by("fail_verify_no_cert") == 1);
}
