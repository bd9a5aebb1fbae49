//! Findings about ten thousand rules: no check may compare each with each.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may"
)]

use std::fmt::Write as _;
use std::fs;
use std::time::{Duration, Instant};

use envoy_config::analyze::{Finding, analyze, human};
use envoy_config::load::{Inputs, Loaded};
use envoy_config::mesh_config;
use outrigger_api::Proxy;

/// Many times what it takes, without optimization and on a busy machine; a tenth of what anything quadratic takes.
const PATIENCE: Duration = Duration::from_secs(60);

fn load(text: &str) -> Loaded {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules.yaml");
    fs::write(&file, text).unwrap();
    Inputs::new(vec![file], "default".to_owned()).load().unwrap()
}

/// One VirtualService with a rule for each number.
fn rules(matches: impl Fn(usize) -> String) -> String {
    let mut text = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\nspec:\n  hosts: [a.b]\n  \
                    http:\n"
        .to_owned();
    for n in 0..10_000 {
        let _ = writeln!(text, "  - {{match: [{}], directResponse: {{status: 200}}}}", matches(n));
    }
    text
}

fn found(what: &str, text: &str) -> Vec<Finding> {
    let loaded = load(text);
    assert_eq!(loaded.problems, [], "{what}");
    let begin = Instant::now();
    let findings = analyze(&loaded, &Proxy::default(), &mesh_config::Parsed::default());
    let shown = human::report(&findings, &loaded.files.iter().collect::<Vec<_>>());
    let took = begin.elapsed();
    eprintln!("{what}: {} findings in {took:?}", findings.len());
    assert!(took < PATIENCE, "{what}: {took:?}");
    assert!(!shown.is_empty());
    findings
}

#[test]
fn ten_thousand_rules() {
    let count = |what, text: &str, code| found(what, text).iter().filter(|one| one.code == code).count();
    let one_prefix = rules(|n| format!("{{uri: {{prefix: /a}}, headers: {{x: {{exact: v{n}}}}}}}"));
    assert_eq!(count("one prefix, a header each", &one_prefix, "IST0131"), 0);
    assert_eq!(count("a prefix each", &rules(|n| format!("{{uri: {{prefix: /{n}/}}}}")), "IST0131"), 0);
    assert_eq!(count("the same match", &rules(|_| "{uri: {exact: /a}}".to_owned()), "IST0130"), 9_999);
    let covered =
        rules(
            |n| if n == 0 { "{uri: {prefix: /a}}".to_owned() } else { format!("{{uri: {{exact: /a{n}}}}}") },
        );
    assert_eq!(count("one prefix covers all", &covered, "IST0131"), 9_999);
    assert_eq!(count("regexes", &rules(|n| format!("{{uri: {{regex: '/a{n}/[0-9]+'}}}}")), "IST0131"), 0);
}

#[test]
fn ten_thousand_virtual_services_with_unknown_hosts() {
    let one = |n: usize| {
        format!(
            "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: a{n}}}\nspec:\n  hosts: \
             [h{n}.example.com]\n  http: [{{route: [{{destination: {{host: u{n}.example.com, subset: v1}}}}]}}]\n---\n\
             apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {{name: s{n}}}\nspec:\n  hosts: \
             [s{n}.example.com]\n  ports: [{{number: 80, name: http, protocol: HTTP}}]\n  resolution: DNS\n"
        )
    };
    let text: String = (0..10_000).map(one).collect();
    let findings = found("references", &text);
    let absent = findings.iter().filter(|one| one.code == "IST0101").count();
    assert_eq!(absent, 20_000, "each host and each subset is named");
}
