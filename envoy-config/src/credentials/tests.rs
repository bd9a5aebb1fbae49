use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::CertificateParams;

use super::*;
use crate::render::testing::resources;

fn made() -> (String, String) {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(["a.example.com".to_owned()]).unwrap().self_signed(&key).unwrap();
    (certificate.pem(), key.serialize_pem())
}

fn secret(name: &str, parts: &[(&str, &str)]) -> String {
    let parts: Vec<_> = parts.iter().map(|(key, text)| format!("{key}: {}", STANDARD.encode(text))).collect();
    format!(
        "{{apiVersion: v1, kind: Secret, metadata: {{name: {name}, namespace: edge}}, data: {{{}}}}}",
        parts.join(", ")
    )
}

fn said(trouble: Result<impl std::fmt::Debug, Trouble>) -> String {
    let trouble = trouble.unwrap_err();
    format!("{} {} [{}]", trouble.code, trouble.message, trouble.hint.unwrap_or_default())
}

#[test]
fn secrets_of_both_kinds_are_read() {
    let (certificate, key) = made();
    let (certificate, key) = (certificate.as_str(), key.as_str());
    let all = resources(&[
        &secret("tls", &[("tls.crt", certificate), ("tls.key", key), ("ca.crt", certificate)]),
        &secret("generic", &[("cert", certificate), ("key", key)]),
        &secret("generic-cacert", &[("cacert", certificate)]),
        &secret("bare", &[("tls.crt", certificate), ("tls.key", "")]),
    ]);
    let credentials = Credentials::new(&all, "edge", None);
    for name in ["tls", "generic", "kubernetes://tls", "kubernetes://edge/tls"] {
        assert!(credentials.key_pair(name).is_ok(), "{name}");
        assert!(credentials.authorities(name).is_ok(), "{name}");
    }
    assert!(credentials.authorities("generic-cacert").is_ok());
    let bare = said(credentials.key_pair("bare"));
    assert!(
        bare.contains("`tls.crt` and `tls.key`, or") && bare.contains("it has `tls.crt`, `tls.key`"),
        "{bare}"
    );
    let bare = said(credentials.authorities("bare"));
    assert!(bare.starts_with("OUT0110 Secret `edge/bare` (test.yaml:7): it needs `ca.crt`"), "{bare}");
}

#[test]
fn what_is_absent_is_told_with_where_to_put_it() {
    let (certificate, key) = made();
    let all = resources(&[&secret("tls", &[("tls.crt", &certificate), ("tls.key", &key)])]);
    let credentials = Credentials::new(&all, "default", None);
    let elsewhere = said(credentials.key_pair("tls"));
    assert!(elsewhere.starts_with("IST0101") && elsewhere.contains("`--namespace edge`"), "{elsewhere}");
    assert!(said(credentials.key_pair("none")).contains("--credentials DIR"));
    assert!(said(credentials.key_pair("sds://x")).starts_with("OUT0002"));
    assert!(said(credentials.key_pair("kubernetes://edge/tls")).contains("no Secret of namespace `edge`"));
    assert!(said(credentials.key_pair_in_files("/nowhere/a", "/nowhere/b")).contains("no file `/nowhere/a`"));
}

#[test]
fn a_folder_stands_for_a_secret() {
    let (certificate, key) = made();
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("shop");
    fs::create_dir(&own).unwrap();
    let credentials = Credentials::new(&[], "default", Some(folder.path()));
    for (file, text) in [("tls.crt", &certificate), ("tls.key", &made().1), ("ca.crt", &certificate)] {
        fs::write(own.join(file), text).unwrap();
    }
    assert!(said(credentials.key_pair("shop")).contains("does not belong"));
    fs::write(own.join("tls.key"), &key).unwrap();
    assert!(credentials.key_pair("shop").is_ok());
    assert!(credentials.authorities("shop").is_ok());
    let paths = ["tls.crt", "tls.key"].map(|file| own.join(file).display().to_string());
    assert!(credentials.key_pair_in_files(&paths[0], &paths[1]).is_ok());
    assert_eq!(credentials.into_files().len(), 2);
}
