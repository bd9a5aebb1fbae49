//! A registry that asks for a name and a password.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::command::{image, image_with};
use super::registry::{Registry, Setup};
use super::skopeo::pull;

/// `ann` with `s3cr:et`.
const HTPASSWD: &str = "ann:$2b$04$zotBoqYiR2wyd7pVjYwET.q4gGUN5O6b0x18YQbXqx/xqujE.ynW.\n";

fn registry() -> Registry {
    Registry::start(&Setup {
        auth: Some(json!({"htpasswd": {"realm": "test", "path": "FOLDER/htpasswd"}})),
        files: vec![("htpasswd", HTPASSWD.to_owned())],
        tls: None,
    })
}

/// A folder with Docker's configuration.
pub(crate) fn docker_config(config: &serde_json::Value) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
    folder
}

#[test]
fn a_login_is_that_of_the_flags_or_of_docker() {
    let registry = registry();
    let reference = registry.image("private/authz:1");
    let host = format!("localhost:{}", registry.port);
    let push = ["push", &reference, "--module", "authz", "-o", "json"];

    image(&push).fails(3, &["asks for a login, and there is none", &format!("docker login {host}")]);
    image(&["inspect", &reference]).fails(3, &["asks for a login, and there is none"]);

    let flags = [&push[..], &["--username", "ann", "--password-stdin"]].concat();
    let nobody = docker_config(&json!({}));
    image_with(&flags, nobody.path(), "wrong\n").fails(3, &["refuses the login"]);
    let pushed = image_with(&flags, nobody.path(), "s3cr:et\n").json();

    let kept = docker_config(&json!({"auths": {&host: {"auth": STANDARD.encode("ann:s3cr:et")}}}));
    let inspect = ["inspect", reference.as_str(), "-o", "json"];
    let seen = image_with(&inspect, kept.path(), "").json();
    assert_eq!(seen[0]["sha256"], pushed[0]["sha256"]);
    let wrong = docker_config(&json!({"auths": {&host: {"auth": STANDARD.encode("ann:wrong")}}}));
    image_with(&inspect, wrong.path(), "").fails(3, &["refuses the login", "docker login"]);

    let pulled = pull(&reference, &["--src-tls-verify=false", "--src-creds=ann:s3cr:et"]);
    assert_eq!(pushed[0]["sha256"], pulled.sha256);
}

#[test]
fn a_login_can_come_from_a_helper() {
    let registry = registry();
    let reference = registry.image("private/authz:1");
    let host = format!("localhost:{}", registry.port);
    // As docker-credential-helpers have it: the command `get`, the registry on standard input, JSON on standard output.
    let helpers = tempfile::tempdir().unwrap();
    let answers = [
        ("good", r#"echo '{"ServerURL":"any","Username":"ann","Secret":"s3cr:et"}'"#),
        ("empty", "echo 'credentials not found in native keychain'; exit 1"),
        ("dead", "echo 'no bus' >&2; exit 1"),
    ];
    for (name, answer) in answers {
        let path = helpers.path().join(format!("docker-credential-{name}"));
        let script = format!("#!/bin/sh\n[ \"$1\" = get ] && [ \"$(cat)\" = {host} ] || exit 9\n{answer}\n");
        std::fs::write(&path, script).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&path, mode).unwrap();
    }
    let push = |config: serde_json::Value| {
        let config = docker_config(&config);
        let path = format!("{}:{}", helpers.path().display(), std::env::var("PATH").unwrap());
        let output = std::process::Command::new(outrigger_e2e::launch::outrigger().unwrap())
            .args(["image", "push", &reference, "--module", "authz"])
            .env("DOCKER_CONFIG", config.path())
            .env("PATH", path)
            .output()
            .unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    for config in
        [json!({"credsStore": "good"}), json!({"credsStore": "empty", "credHelpers": {&host: "good"}})]
    {
        let (code, stderr) = push(config);
        assert_eq!(code, 0, "{stderr}");
    }
    let (code, stderr) = push(json!({"credsStore": "empty"}));
    assert!(code == 3 && stderr.contains("there is none"), "{stderr}");
    let (code, stderr) = push(json!({"credsStore": "dead"}));
    assert!(code == 3 && stderr.contains("can't look up the login") && stderr.contains("no bus"), "{stderr}");
}
