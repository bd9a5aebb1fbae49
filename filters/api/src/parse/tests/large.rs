//! A megabyte of each kind of harm: read in time that grows with its length, not with the square of it.

use std::time::{Duration, Instant};

use crate::{parse_json, parse_yaml};

/// Far more than it takes without optimization on a busy machine, far less than anything quadratic would.
const PATIENCE: Duration = Duration::from_secs(60);

fn repeat(text: impl Fn(usize) -> String) -> String {
    let mut all = String::new();
    let mut count = 0;
    while all.len() < 1_000_000 {
        all.push_str(&text(count));
        count += 1;
    }
    all
}

fn resource(group: &str, kind: &str, spec: &str) -> String {
    format!("apiVersion: {group}.istio.io/v1\nkind: {kind}\nmetadata: {{name: a}}\nspec:\n  {spec}\n")
}

fn route(hosts: &str) -> String {
    resource(
        "networking",
        "VirtualService",
        &format!("hosts: [{hosts}]\n  http: [{{directResponse: {{status: 200}}}}]"),
    )
}

#[test]
fn a_megabyte_of_anything() {
    let deep = "[".repeat(1_000_000);
    let nested = repeat(|_| "a: {".to_owned());
    let bomb = format!("a: &a [{}]\n", "x,".repeat(20_000)) + &repeat(|n| format!("b{n}: *a\n"));
    let doubling = (0..60).fold("a0: &a0 [x]\n".to_owned(), |text, n| {
        text + &format!("a{}: &a{} [*a{n}, *a{n}]\n", n + 1, n + 1)
    });
    for (what, text) in [
        ("nesting", deep),
        ("flow mappings", nested),
        ("aliases", bomb),
        ("doubled aliases", doubling),
        ("tabs", "\t".repeat(1_000_000)),
        ("documents", "---\n".repeat(250_000)),
        ("broken documents", repeat(|_| "--- {\n".to_owned())),
        ("one key", format!("{}: 1\n", "k".repeat(1_000_000))),
        (
            "one value",
            resource("networking", "VirtualService", &format!("hosts: [{}]", "h".repeat(1_000_000))),
        ),
        ("unknown fields", resource("networking", "VirtualService", &repeat(|n| format!("f{n}: 1\n  ")))),
        ("the same field", resource("networking", "VirtualService", &repeat(|_| "hosts: []\n  ".to_owned()))),
        ("hosts", route(&repeat(|n| format!("h{n}.com, ")))),
        ("the same host", route(&repeat(|_| "h.com, ".to_owned()))),
        ("wildcards", route(&repeat(|n| format!("'*.h{n}.com', ")))),
        (
            "exportTo",
            resource(
                "networking",
                "VirtualService",
                &format!("exportTo: [{}]", repeat(|n| format!("n{n}, "))),
            ),
        ),
        (
            "the same exportTo",
            resource("networking", "VirtualService", &format!("exportTo: [{}]", "., ".repeat(300_000))),
        ),
        (
            "gateways",
            resource(
                "networking",
                "VirtualService",
                &format!("gateways: [{}]", repeat(|n| format!("g{n}, "))),
            ),
        ),
        (
            "broken routes",
            resource("networking", "VirtualService", &format!("http: [{}]", "{}, ".repeat(250_000))),
        ),
        (
            "headers",
            resource(
                "networking",
                "VirtualService",
                &format!("http: [{{match: [{{headers: {{{}}}}}]}}]", repeat(|n| format!("h{n}: {{}}, "))),
            ),
        ),
        (
            "subsets",
            resource(
                "networking",
                "DestinationRule",
                &format!("subsets: [{}]", repeat(|n| format!("{{name: s{n}}}, "))),
            ),
        ),
        (
            "the same subset",
            resource(
                "networking",
                "DestinationRule",
                &format!("subsets: [{}]", "{name: s}, ".repeat(90_000)),
            ),
        ),
        (
            "the same port",
            resource(
                "networking",
                "ServiceEntry",
                &format!("ports: [{}]", "{name: p, number: 1}, ".repeat(45_000)),
            ),
        ),
        (
            "servers",
            resource(
                "networking",
                "Gateway",
                &format!("servers: [{}]", "{port: {name: p}}, ".repeat(50_000)),
            ),
        ),
        (
            "rules",
            resource("security", "AuthorizationPolicy", &format!("rules: [{}]", "{}, ".repeat(250_000))),
        ),
        ("lists of lists", format!("apiVersion: v1\nkind: List\nitems: [{}]", "[], ".repeat(250_000))),
        ("a letter above 127", "é".repeat(500_000)),
        ("NUL", "\0".repeat(1_000_000)),
    ] {
        let begin = Instant::now();
        let parsed = parse_yaml(text.as_bytes(), "x.yaml", "default");
        let json = parse_json(text.as_bytes(), "default");
        let took = begin.elapsed();
        assert!(took < PATIENCE, "{what}: {took:?}");
        assert!(parsed.problems.iter().all(|problem| problem.position.is_some()), "{what}");
        let longest = parsed.problems.iter().map(|problem| problem.message.len()).max().unwrap_or_default();
        assert!(longest < 1_000, "{what}: a message of {longest} bytes");
        let expected = matches!(what, "documents" | "tabs" | "hosts" | "wildcards" | "rules");
        assert_eq!(parsed.problems.is_empty(), expected, "{what}: {:?}", parsed.problems.first());
        assert!(!json.problems.is_empty(), "{what}");
    }
}

#[test]
fn lines_may_end_as_windows_does_and_begin_with_a_byte_order_mark() {
    let text = route("shop.example.com");
    let windows = format!("\u{feff}{}", text.replace('\n', "\r\n"));
    let (one, other) = (parse_yaml(text.as_bytes(), "x", "ns"), parse_yaml(windows.as_bytes(), "x", "ns"));
    assert_eq!((one.problems.len(), other.problems), (0, vec![]));
    assert_eq!(one.resources[0].spec, other.resources[0].spec);
    let wrong = windows.replace("status: 200", "status: 99");
    let place = parse_yaml(wrong.as_bytes(), "x", "ns").problems[0].position.unwrap();
    assert_eq!((place.line, place.column), (6, 36));
}

#[test]
fn a_byte_that_is_not_utf_8_has_a_place() {
    let text = [route("shop.example.com").as_bytes(), b"# \xff"].concat();
    let said: Vec<_> = parse_yaml(&text, "x.yaml", "ns").problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [format!("x.yaml:7:3: error: the file is not UTF-8: byte {} can't be read", text.len())]
    );
    let said = &parse_yaml(b"\xff\xfea\0:\0 \0b\0", "x.yaml", "ns").problems[0];
    assert_eq!(said.message, "the file is UTF-16: save it as UTF-8");
}
