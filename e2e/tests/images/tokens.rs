//! A registry that wants a token from elsewhere.

use serde_json::json;

use super::authority::Authority;
use super::command::{image, image_with};
use super::login::docker_config;
use super::registry::{Registry, Setup};
use super::skopeo::pull;
use super::token_server::{IDENTITY, ISSUER, SERVICE, TokenServer};

/// A registry whose tokens come from `http://HOST` and that server's port.
fn start(host: &str) -> (Registry, TokenServer) {
    let authority = Authority::new("tokens");
    let server = TokenServer::start(authority.issue("tokens"));
    let token = json!({
        "realm": format!("http://{host}:{}/token", server.port),
        "service": SERVICE,
        "issuer": ISSUER,
        "rootcertbundle": "FOLDER/root.pem",
    });
    let registry = Registry::start(&Setup {
        auth: Some(json!({"token": token})),
        files: vec![("root.pem", authority.pem())],
        tls: None,
    });
    (registry, server)
}

const ANN: (&[&str], &str) = (&["--username", "ann", "--password-stdin"], "s3cr:et");
const BOB: (&[&str], &str) = (&["--username", "bob", "--password-stdin"], "b");

#[test]
fn a_token_is_asked_for_what_is_done_and_by_who_does_it() {
    let (registry, server) = start("localhost");
    let nobody = docker_config(&json!({}));
    let run = |what: &[&str], reference: &str, (flags, password): (&[&str], &str)| {
        image_with(&[&[what[0], reference], &what[1..], flags].concat(), nobody.path(), password)
    };
    let push = ["push", "--module", "router", "-o", "json"];
    let inspect = ["inspect", "-o", "json"];
    let anybody = (&[][..], "");
    for name in ["public/a", "private/a"] {
        let reference = registry.image(&format!("{name}:1"));
        run(&push, &reference, anybody).fails(3, &["asks for a login, and there is none"]);
        run(&push, &reference, BOB).fails(3, &["does not allow `repository:", "pull,push`"]);
        run(&push, &reference, (ANN.0, "wrong")).fails(3, &["refuses the login (who are you?)"]);
        let pushed = run(&push, &reference, ANN).json();
        assert_eq!(run(&inspect, &reference, BOB).json()[0]["sha256"], pushed[0]["sha256"]);
        let creds = ["--src-tls-verify=false", "--src-creds=bob:b"];
        assert_eq!(pushed[0]["sha256"], pull(&reference, &creds).sha256);
    }
    assert_eq!(run(&inspect, &registry.image("public/a:1"), anybody).code, 0);
    run(&inspect, &registry.image("private/a:1"), anybody).fails(3, &["asks for a login, and there is none"]);

    // One token for a push, and one for what is read.
    let before = server.asked().len();
    assert_eq!(run(&push, &registry.image("public/b:1"), ANN).code, 0);
    assert_eq!(run(&inspect, &registry.image("public/b:1"), BOB).code, 0);
    let asked = server.asked();
    assert_eq!(asked[before..], ["ann repository:public/b:pull,push", "bob repository:public/b:pull"]);
}

#[test]
fn an_identity_is_exchanged_for_a_token() {
    let (registry, _server) = start("localhost");
    let host = format!("localhost:{}", registry.port);
    let reference = registry.image("private/a:1");
    let of = |identity: &str| docker_config(&json!({"auths": {&host: {"identitytoken": identity}}}));
    let said = image_with(&["push", &reference, "--module", "router"], of(IDENTITY).path(), "");
    assert_eq!(said.code, 0, "{said:?}");
    image_with(&["inspect", &reference], of("another").path(), "").fails(3, &["refuses the login"]);
}

#[test]
fn a_login_is_not_sent_in_the_clear_to_another_host() {
    // The same machine by another name: as good as another host, for whoever looks at the name.
    let (registry, server) = start("127.0.0.1");
    let nobody = docker_config(&json!({}));
    let reference = registry.image("public/a:1");
    let arguments = [&["push", &reference, "--module", "router"], ANN.0].concat();
    image_with(&arguments, nobody.path(), ANN.1).fails(3, &["wants the login sent to `http://127.0.0.1:"]);
    assert_eq!(server.asked(), Vec::<String>::new());
    // Who has nothing to lose may ask.
    image(&["inspect", &reference]).fails(3, &["does not find the image `public/a:1`"]);
    assert_eq!(server.asked(), [" repository:public/a:pull"]);
}
