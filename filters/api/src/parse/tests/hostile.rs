//! Texts which want to do harm: an error each time, never a panic.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::{config::Config, parse_json};

#[test]
fn json() {
    let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    for text in [
        &b""[..],
        b"\0",
        b"\xff\xfe",
        b"[]",
        b"1",
        b"{\"kind\":1}",
        b"{\"kind\":\"List\",\"items\":{}}",
        deep.as_bytes(),
    ] {
        let parsed = parse_json(text, "default");
        assert!(!parsed.problems.is_empty() && parsed.resources.is_empty(), "{text:?}");
        assert!(Config::from_json(text).is_err(), "{text:?}");
    }
}

#[test]
fn values_of_every_kind_in_every_place() {
    let fields = [
        "hosts", "gateways", "http", "tls", "tcp", "servers", "selector", "rules", "jwtRules", "host", "mtls",
    ];
    let values = [
        "null",
        "true",
        "-1",
        "1e99",
        "\"\"",
        "\"\\u0000é*\"",
        "[]",
        "[null]",
        "[[]]",
        "{}",
        "{\"\":{}}",
        "[{}]",
        "[{\"match\":[null,1]}]",
    ];
    let kinds = [
        ("networking", "VirtualService"),
        ("networking", "Gateway"),
        ("networking", "DestinationRule"),
        ("networking", "ServiceEntry"),
        ("networking", "WorkloadEntry"),
        ("networking", "Sidecar"),
        ("security", "PeerAuthentication"),
        ("security", "RequestAuthentication"),
        ("security", "AuthorizationPolicy"),
        ("telemetry", "Telemetry"),
    ];
    for (group, kind) in kinds {
        for field in fields {
            for value in values {
                let text = format!(
                    r#"{{"apiVersion":"{group}.istio.io/v1","kind":"{kind}","metadata":{{"name":"x"}},"spec":{{"{field}":{value}}}}}"#
                );
                let parsed = parse_json(text.as_bytes(), "default");
                for problem in &parsed.problems {
                    assert!(!problem.to_string().is_empty());
                }
                assert!(parsed.resources.len() <= 1);
            }
        }
    }
}

#[cfg(feature = "yaml")]
#[test]
fn yaml() {
    use crate::parse_yaml;

    let deep = "[".repeat(50_000);
    let bomb = format!("a: &a [{}]\n", "x,".repeat(2_000))
        + &(0..2_000).map(|n| format!("b{n}: *a\n")).collect::<String>();
    for text in [
        &b"\xff"[..],
        b"a: \0",
        b"key: [",
        b"a: b: c",
        b"a: *nothing",
        b"- 1",
        b"text",
        deep.as_bytes(),
        bomb.as_bytes(),
    ] {
        let parsed = parse_yaml(text, "x.yaml", "default");
        assert!(!parsed.problems.is_empty() && parsed.resources.is_empty());
        assert!(parsed.problems[0].to_string().starts_with("x.yaml:"), "{}", parsed.problems[0]);
    }
    assert_eq!(parse_yaml(b"", "x.yaml", "default").problems, []);
    assert_eq!(parse_yaml(b"# nothing\n---\n---\n", "x.yaml", "default").problems, []);
}

/// What a message quotes can't steer a terminal.
#[test]
fn control_characters_are_escaped() {
    let text = r#"{"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"a"},
        "spec":{"hosts":["a\tb\u001b[2J"]}}"#;
    let parsed = parse_json(text.as_bytes(), "default");
    let said: Vec<_> = parsed.problems.iter().map(ToString::to_string).collect();
    assert!(said.iter().any(|said| said.contains(r"`a\tb\u{1b}[2J`")), "{said:?}");
    assert!(!said.concat().contains('\u{1b}'), "{said:?}");
}
