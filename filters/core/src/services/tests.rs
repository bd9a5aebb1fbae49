#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::route::testing::{forward, service, sidecar, virtual_service};

#[test]
fn kubernetes_services_have_name_namespace_and_ports() {
    let services = Services::collect(&[service("reviews", &[80, 9080])], &sidecar());
    let reviews = services.get("reviews.default.svc.cluster.local").unwrap();
    assert_eq!((reviews.name.as_str(), reviews.namespace.as_str()), ("reviews", "default"));
    assert_eq!((reviews.only_port(), reviews.default_port()), (None, 80));
    let services = Services::collect(&[service("reviews", &[9080])], &sidecar());
    let reviews = services.get("reviews.default.svc.cluster.local").unwrap();
    assert_eq!((reviews.only_port(), reviews.default_port()), (Some(9080), 9080));
}

/// HTTPS, which a DestinationRule can make of the requests of a gateway.
#[test]
fn an_only_port_may_speak_anything() {
    for (ports, only, default) in [
        (r#"{"number":443,"name":"https","protocol":"HTTPS"}"#, Some(443), 80),
        (
            r#"{"number":8080,"name":"http","protocol":"HTTP"},{"number":443,"name":"https","protocol":"HTTPS"}"#,
            Some(8080),
            8080,
        ),
        (
            r#"{"number":443,"name":"https","protocol":"HTTPS"},{"number":8443,"name":"tls","protocol":"TLS"}"#,
            None,
            80,
        ),
    ] {
        let entry = format!(
            r#"{{"apiVersion":"networking.istio.io/v1","kind":"ServiceEntry","metadata":{{"name":"a"}},
            "spec":{{"hosts":["a.example"],"resolution":"DNS","ports":[{ports}]}}}}"#
        );
        let parsed = outrigger_api::parse_json(entry.as_bytes(), "default");
        // Said twice it is still one.
        let twice: Vec<_> = parsed.resources.iter().chain(&parsed.resources).cloned().collect();
        let services = Services::collect(&twice, &sidecar());
        let service = services.get("a.example").unwrap();
        assert_eq!((service.only_port(), service.default_port()), (only, default), "{ports}");
    }
}

#[test]
fn what_is_only_named_does_not_hide_what_is_declared() {
    let routes = virtual_service("vs", 0, &["x"], vec![forward(&[("reviews", 1), ("Other.Example", 1)])]);
    let services = Services::collect(&[routes, service("reviews", &[9080])], &sidecar());
    let reviews = services.get("reviews.default.svc.cluster.local").unwrap();
    assert!(reviews.declared && reviews.ports == [9080]);
    let other = services.get("other.example").unwrap();
    assert!(!other.declared && other.ports == [DEFAULT_PORT]);
    assert_eq!((other.name.as_str(), other.namespace.as_str()), ("other.example", "unknown"));
    assert_eq!(services.iter().count(), 2);
}

#[test]
fn names_of_services_are_read_from_their_hosts() {
    for (host, name, namespace) in [
        ("reviews.default.svc.cluster.local", "reviews", "default"),
        ("example.com", "example.com", "unknown"),
        ("svc.cluster.local", "svc.cluster.local", "unknown"),
    ] {
        assert_eq!(name_of(host, "cluster.local"), (name.to_owned(), namespace.to_owned()));
    }
}
