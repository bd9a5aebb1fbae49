//! A registry with TLS: who is trusted, and that nobody goes without it unasked.

use super::authority::Authority;
use super::command::image;
use super::registry::{Registry, Setup};
use super::skopeo::pull;

#[test]
fn a_registry_is_trusted_by_the_file_of_its_authority() {
    let (ours, other) = (Authority::new("ours"), Authority::new("other"));
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (ca, wrong) = (write("certs/ca.crt", &ours.pem()), write("other.pem", &other.pem()));
    let empty = write("empty.pem", "");
    let certificate = ours.issue("localhost");
    let registry = Registry::start(&Setup { tls: Some(&certificate), ..Setup::default() });
    let reference = registry.image("a:1");
    let push =
        |more: &[&str]| image(&[&["push", &reference, "--module", "fault", "-o", "json"], more].concat());

    // That it is on this machine does not excuse a certificate of nobody we know.
    push(&[]).fails(3, &["the certificate of `localhost:", "is not accepted", "--ca-file"]);
    push(&["--ca-file", &wrong]).fails(3, &["is not accepted"]);
    push(&["--ca-file", &empty]).fails(3, &["can't read authorities from", "no certificate in it"]);
    push(&["--plain-http"]).fails(3, &["answers 400", "if it has TLS, leave out `--plain-http`"]);
    let pushed = push(&["--ca-file", &ca]).json();

    let seen = image(&["inspect", &reference, "--ca-file", &ca, "-o", "json"]).json();
    assert_eq!(seen[0]["sha256"], pushed[0]["sha256"]);
    let certs = format!("--src-cert-dir={}", folder.path().join("certs").display());
    assert_eq!(pushed[0]["sha256"], pull(&reference, &[&certs]).sha256);

    // The name in the certificate is `localhost`.
    let by_address = format!("127.0.0.1:{}/a:1", registry.port);
    image(&["inspect", &by_address, "--ca-file", &ca]).fails(3, &["is not accepted", "127.0.0.1"]);
}

#[test]
fn a_registry_without_tls_is_no_registry_with_a_certificate() {
    let authority = Authority::new("ours");
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, authority.pem()).unwrap();
    let registry = Registry::open();
    let reference = registry.image("a:1");
    // Whoever names an authority wants to know whom they speak to.
    let said = image(&["push", &reference, "--module", "fault", "--ca-file", ca.to_str().unwrap()]);
    said.fails(3, &["answers without TLS", "--plain-http"]);
    assert_eq!(image(&["push", &reference, "--module", "fault", "--plain-http"]).code, 0);
}
