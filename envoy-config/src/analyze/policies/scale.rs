//! However many policies there are, few rules are compared with each other; and none is missed for that.

use outrigger_api::{Proxy, parse_yaml};

use super::cover::covers;
use super::field::TrustDomains;
use super::index::Index;
use super::*;

const MANY: usize = 2_000;

fn load(count: usize, policy: impl Fn(usize) -> (String, String)) -> Vec<Resource> {
    let text: String = (0..count)
        .map(|n| {
            let (namespace, spec) = policy(n);
            format!(
                "---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {{name: p{n}, namespace: \
                 {namespace}}}\nspec: {{{spec}}}\n"
            )
        })
        .collect();
    let parsed = parse_yaml(text.as_bytes(), "policies.yaml", "default");
    assert!(!parsed.problems.iter().any(outrigger_api::Problem::is_error), "{:?}", parsed.problems);
    parsed.resources
}

fn compared(resources: &[Resource]) -> (usize, usize) {
    let proxy = Proxy::default();
    let mut findings = Vec::new();
    let compared = check(resources, &Registry::new(resources, &[], &proxy), &proxy, &mut findings);
    let covered =
        findings.iter().filter(|finding| finding.code == crate::analyze::codes::COVERED_RULE).count();
    (compared, covered)
}

#[test]
fn thousands_of_policies_are_not_compared_with_each_other() {
    let to = |fields: String| format!("rules: [{{to: [{{operation: {{{fields}}}}}]}}]");
    let from = |fields: String| format!("rules: [{{from: [{{source: {{{fields}}}}}]}}]");
    let when = |key: &str, fields: String| format!("rules: [{{when: [{{key: '{key}', {fields}}}]}}]");
    let kinds: [&dyn Fn(usize) -> String; 16] = [
        &|n| to(format!("paths: [/p{n}]")),
        &|n| to(format!("paths: ['/p{n}/*']")),
        &|n| to(format!("paths: ['*/p{n}']")),
        &|n| to(format!("paths: ['/p{n}/{{*}}']")),
        &|n| to(format!("methods: [GET], paths: [/p{n}]")),
        &|n| to(format!("methods: [GET], notPaths: [/p{n}]")),
        &|n| to(format!("notPaths: [/p{n}]")),
        &|n| to(format!("notPaths: ['/p{n}/*', '/q*']")),
        &|n| to(format!("hosts: [h{n}.example], paths: [/]")),
        &|n| from(format!("principals: [cluster.local/ns/a/sa/s{n}]")),
        &|n| from(format!("principals: ['cluster.local/ns/n{n}/*']")),
        &|n| from(format!("namespaces: [n{n}]")),
        &|n| from(format!("serviceAccounts: [n{n}/a]")),
        &|n| from(format!("requestPrincipals: [idp/s{n}]")),
        &|n| from(format!("ipBlocks: [10.0.{}.{}]", n / 256, n % 256)),
        &|n| when(&format!("request.headers[h{n}]"), "values: [x]".to_owned()),
    ];
    for (kind, spec) in kinds.iter().enumerate() {
        let (pairs, covered) = compared(&load(MANY, |n| ("default".to_owned(), spec(n))));
        assert_eq!(covered, 0, "{}", spec(0));
        assert!(pairs <= 40 * MANY, "kind {kind}: {pairs} pairs");
    }
    // The same rule for each workload, and for each namespace.
    for policy in [
        |n: usize| {
            (
                "default".to_owned(),
                format!(
                    "selector: {{matchLabels: {{app: a{n}}}}}, rules: [{{to: [{{operation: {{methods: [GET]}}}}]}}]"
                ),
            )
        },
        |n: usize| (format!("n{n}"), "rules: [{to: [{operation: {methods: [GET]}}]}]".to_owned()),
    ] {
        assert_eq!(compared(&load(MANY, policy)), (0, 0));
    }
}

#[test]
fn what_many_rules_are_covered_by_is_found_at_once() {
    let wide = |n: usize| match n {
        0 => "rules: [{to: [{operation: {paths: ['/api/*']}}]}]".to_owned(),
        n => format!("rules: [{{to: [{{operation: {{paths: [/api/p{n}]}}}}]}}]"),
    };
    let (pairs, covered) = compared(&load(MANY, |n| ("default".to_owned(), wide(n))));
    assert_eq!(covered, MANY - 1);
    assert!(pairs <= 2 * MANY, "{pairs} pairs");
}

/// Rules of few values, so that many cover others: the parts of a number choose what each asks.
fn rule(mut number: usize) -> String {
    let mut choose = |from: &[&'static str]| {
        let chosen = from[number % from.len()];
        number /= from.len();
        chosen
    };
    let path = choose(&["", "/a", "/a*", "/a/b", "*b", "/a/{*}", "*"]);
    let method = choose(&["", "GET", "GET, POST"]);
    let source = choose(&[
        "",
        "namespaces: [n]",
        "namespaces: ['n*'], ipBlocks: [10.0.0.0/8]",
        "ipBlocks: [10.1.0.0/16]",
    ]);
    let when = choose(&[
        "",
        "{key: 'request.headers[h]', values: [x, y]}",
        "{key: request.auth.principal, values: [i/s]}",
        "{key: request.auth.principal, values: ['i/*']}",
    ]);
    let lists = |name: &str, values: &str| match values {
        "" => String::new(),
        values => format!("{name}: [{values}], "),
    };
    let path = if path.is_empty() { String::new() } else { format!("'{path}'") };
    let operation = lists("paths", &path) + &lists("methods", method);
    let mut parts = Vec::new();
    if !operation.is_empty() {
        parts.push(format!("to: [{{operation: {{{operation}}}}}]"));
    }
    if !source.is_empty() {
        parts.push(format!("from: [{{source: {{{source}}}}}]"));
    }
    if !when.is_empty() {
        parts.push(format!("when: [{when}]"));
    }
    format!("{{{}}}", parts.join(", "))
}

#[test]
fn the_index_finds_each_rule_that_covers_another() {
    let count = 7 * 3 * 4 * 4;
    let resources = load(count, |n| ("default".to_owned(), format!("rules: [{}]", rule(n))));
    let proxy = Proxy::default();
    let policies = rules::policies(&resources, TrustDomains::new(&proxy));
    let asked: Vec<_> = policies.iter().map(|policy| &policy.rules[0]).collect();
    let index = Index::new(asked.iter().copied().enumerate());
    let mut found = 0;
    for narrow in &asked {
        let candidates = index.candidates(narrow);
        for (number, wide) in asked.iter().enumerate().filter(|(_, wide)| covers(wide, narrow)) {
            assert!(candidates.contains(&number), "{narrow:?} is covered by {wide:?}");
            found += 1;
        }
    }
    assert!(found > 3 * count, "{found} of {count}");
}
