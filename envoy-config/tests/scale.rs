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

/// Policies of fifty teams, of every action and most fields, half of them for one workload. DENY on `/admin/1*` covers
/// that on `/admin/10*`, where it is for the same workloads.
fn policy(n: usize) -> String {
    let (namespace, app) = (n % 50, n / 50);
    let spec = match (n + app) % 5 {
        0 => format!(
            "{{rules: [{{from: [{{source: {{principals: [cluster.local/ns/team{namespace}/sa/caller{app}]}}}}], to: \
             [{{operation: {{methods: [GET, POST], paths: ['/api/v{app}/*']}}}}]}}]}}"
        ),
        1 => format!(
            "{{action: DENY, rules: [{{from: [{{source: {{notNamespaces: [team{namespace}]}}}}], to: [{{operation: {{paths: \
             ['/admin/{app}*'], ports: ['8080']}}}}]}}]}}"
        ),
        2 => format!(
            "{{rules: [{{from: [{{source: {{ipBlocks: [10.{}.{}.0/24]}}}}], when: [{{key: 'request.headers[x-team]', values: \
             [team{namespace}, t{app}]}}]}}]}}",
            n / 250 % 250,
            n % 250
        ),
        3 => format!(
            "{{action: AUDIT, rules: [{{to: [{{operation: {{hosts: [svc{app}.team{namespace}.example], notPaths: \
             [/healthz, '/public/{app}/*']}}}}]}}]}}"
        ),
        _ => format!(
            "{{rules: [{{from: [{{source: {{requestPrincipals: ['https://idp.example/user{n}']}}}}], when: [{{key: \
             'request.auth.claims[groups]', values: [group{app}, admins]}}]}}]}}"
        ),
    };
    let selector =
        if n % 100 < 50 { String::new() } else { format!("selector: {{matchLabels: {{app: app{app}}}}}, ") };
    format!(
        "---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {{name: p{n}, namespace: \
         team{namespace}}}\nspec: {{{selector}{}\n",
        spec.trim_start_matches('{')
    )
}

#[test]
fn ten_thousand_authorization_policies() {
    let text: String = (0..10_000).map(policy).collect();
    // For measuring the command by hand.
    if let Some(file) = std::env::var_os("KEEP_POLICIES") {
        fs::write(file, &text).unwrap();
    }
    let findings = found("policies", &text);
    let code = |code: &str| findings.iter().filter(|finding| finding.code == code).count();
    assert_eq!((code("OUT0240"), code("OUT0241"), code("OUT0243")), (0, 0, 0));
    assert_eq!(code("OUT0246"), 4_000, "the principal and the claim of each rule about tokens");
    assert!(code("OUT0242") > 100);
}
