//! Policies that nobody can be asked about.

use std::process::Command;

use outrigger_e2e::launch::outrigger;

use super::http_server::Server;
use super::proxy::Proxy;
use super::{asks, tried};

const SUPPRESS: &str = ", annotations: {galley.istio.io/analyze-suppress: OUT0250}}";

fn provider(name: &str, port: u16) -> String {
    format!("- {{name: {name}, envoyExtAuthzHttp: {{service: 127.0.0.1, port: {port}}}}}\n")
}

/// `analyze` and `run` say so; whoever insists gets a proxy that refuses.
#[test]
fn of_an_unknown_server_rules_refuse() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let (file, mesh) = (folder.path().join("p.yaml"), folder.path().join("mesh.config"));
    std::fs::write(&file, asks("ask", "wbe", "/anything/a")).unwrap();
    std::fs::write(&mesh, format!("extensionProviders:\n{}", provider("web", server.port))).unwrap();
    let output = Command::new(outrigger().unwrap())
        .args(["analyze", "-f", file.to_str().unwrap(), "--mesh-config", mesh.to_str().unwrap()])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("OUT0250") && said.contains("did you mean `web`?"), "{said}");
    assert!(said.contains("p.yaml:5"), "{said}");

    let insisting = asks("ask", "wbe", "/anything/a").replacen('}', SUPPRESS, 1);
    let proxy = Proxy::start(&[provider("web", server.port)], &[insisting]);
    let refused = proxy.get("/anything/a");
    assert_eq!((refused.status, refused.body.as_str()), (403, "RBAC: access denied"));
    assert_eq!(proxy.get("/anything/b").status, 200);
    assert!(server.asked().is_none());
}

#[test]
fn two_servers_are_none() {
    let (one, two) = (Server::start(), Server::start());
    let providers = [provider("one", one.port), provider("two", two.port)];
    let proxy = Proxy::start(&providers, &[asks("a", "one", "/anything/a"), asks("b", "two", "/anything/b")]);
    for path in ["/anything/a", "/anything/b"] {
        let refused = proxy.get(path);
        assert_eq!((refused.status, refused.body.as_str()), (403, "RBAC: access denied"), "{path}");
    }
    assert_eq!(proxy.get("/anything/c").status, 200);
    assert!(one.asked().is_none() && two.asked().is_none());

    // One that is tried out is no second one.
    let proxy =
        Proxy::start(&providers, &[asks("a", "one", "/anything/a"), tried(&asks("b", "two", "/anything/*"))]);
    assert_eq!(proxy.get("/anything/a").status, 200);
    assert!(one.asked().is_some() && two.asked().is_some());
    assert_eq!(proxy.get("/anything/c").status, 200);
    assert!(one.asked().is_none() && two.asked().is_some());
}
