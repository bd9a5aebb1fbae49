//! `outrigger.io/…` annotations: a table of what is read, and what is said about the rest.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use std::time::Duration;

use crate::resource::{Spec, Timestamp};
use crate::types::annotations::{Annotations, StickyKey};
use crate::types::request_authentication::JwtAnnotations;
use crate::{parse_yaml, resource::Parsed};

fn read(annotation: &str, kind: &str, spec: &str) -> Parsed {
    let group = if kind == "RequestAuthentication" { "security" } else { "networking" };
    let text = format!(
        "apiVersion: {group}.istio.io/v1\nkind: {kind}\nmetadata:\n  name: x\n  annotations:\n    other.io/x: y\n    {annotation}\nspec: {spec}"
    );
    parse_yaml(text.as_bytes(), "x.yaml", "default")
}

const SPEC: &str = "{hosts: [a], http: [{route: [{destination: {host: a}}]}]}";

fn annotations(annotation: &str) -> Annotations {
    let parsed = read(annotation, "VirtualService", SPEC);
    assert!(parsed.problems.is_empty(), "{annotation}: {:#?}", parsed.problems);
    match parsed.resources.into_iter().next().map(|resource| resource.spec) {
        Some(Spec::VirtualService(service)) => service.annotations,
        other => panic!("{other:?}"),
    }
}

#[test]
fn sticky_keys() {
    let header = |name: &str| StickyKey::Header(name.into());
    let cookie = |name: &str, ttl: Option<u64>| StickyKey::Cookie {
        name: name.into(),
        ttl: ttl.map(Duration::from_secs),
    };
    let claim = |path: &[&str]| StickyKey::Claim(path.iter().map(|part| (*part).to_owned()).collect());
    for (text, keys) in [
        ("header:X-User", vec![header("x-user")]),
        ("cookie:Session", vec![cookie("Session", None)]),
        ("'cookie:side;ttl=24h'", vec![cookie("side", Some(86_400))]),
        ("claim:sub", vec![claim(&["sub"])]),
        ("claim:realm.user", vec![claim(&["realm", "user"])]),
        ("'claim:[https://x.y/id][a]'", vec![claim(&["https://x.y/id", "a"])]),
        (
            "'claim:sub, header:x-user,source-address'",
            vec![claim(&["sub"]), header("x-user"), StickyKey::SourceAddress],
        ),
    ] {
        assert_eq!(annotations(&format!("outrigger.io/sticky-weights: {text}")).sticky_weights, keys);
        if !text.contains("ttl") {
            assert_eq!(annotations(&format!("outrigger.io/fault-sticky: {text}")).fault.sticky, keys);
        }
    }
}

#[test]
fn guards_of_faults() {
    let guards = |text: &str| annotations(text).fault;
    assert_eq!(guards("outrigger.io/fault-max-active: '100'").max_active.map(u32::from), Some(100));
    assert_eq!(guards("outrigger.io/fault-expires: '1970-01-01T00:01:00Z'").expires, Some(Timestamp(60)));
    assert!(guards("outrigger.io/fault-dry-run: 'true'").dry_run);
    assert!(guards("outrigger.io/fault-dry-run: 'false'").is_empty());
    let digest = "00ff".repeat(16);
    let headers = guards(&format!("outrigger.io/fault-headers-secret-sha256: '{digest}'")).headers.unwrap();
    assert_eq!(headers.secret.map(|digest| digest[..3].to_vec()), Some(vec![0, 0xff, 0]));
    assert_eq!(headers.from, None);
    let headers = guards("outrigger.io/fault-headers-from: 10.0.0.0/8, spiffe://td/ns/qa/*").headers.unwrap();
    let from = headers.from.unwrap();
    assert_eq!((from.blocks.len(), &*from.principals), (1, &["spiffe://td/ns/qa/*".to_owned()][..]));
    assert_eq!(annotations("other.io/y: z"), Annotations::default());
}

#[test]
fn mistakes_are_told_with_their_place() {
    for (annotation, column, expected) in [
        ("outrigger.io/sticky-weight: 'header:x'", 5, "unknown annotation `outrigger.io/sticky-weight`"),
        ("outrigger.io/fault_max_active: '5'", 5, "did you mean `outrigger.io/fault-max-active`?"),
        ("outrigger.io/zzzzzzzzzzz: '5'", 5, "a VirtualService can have outrigger.io/fault-dry-run, "),
        ("outrigger.io/sticky-weights: ''", 34, "must not be empty"),
        ("outrigger.io/sticky-weights: 'header:'", 34, "has a header ``, which is not the name of a header"),
        ("outrigger.io/sticky-weights: 'header:a b'", 34, "which is not the name of a header"),
        ("outrigger.io/sticky-weights: 'cookie:a;ttl=5'", 34, "has a ttl `5`, which is not a duration"),
        ("outrigger.io/sticky-weights: 'cookie:a;ttl=1ms'", 34, "which is not of whole seconds"),
        ("outrigger.io/sticky-weights: 'cookie:a;max=1s'", 34, "can only say `;ttl=DURATION`"),
        ("outrigger.io/sticky-weights: 'claim:'", 34, "which is no path of one"),
        ("outrigger.io/sticky-weights: 'claim:a..b'", 34, "which is no path of one"),
        ("outrigger.io/sticky-weights: 'ip:1'", 34, "has `ip:1`: it is a list of"),
        ("outrigger.io/sticky-weights: 'source-address,header:x'", 34, "never gets to `header:x`"),
        ("outrigger.io/sticky-weights: 'cookie:a;ttl=1s,header:x'", 34, "never gets to `header:x`"),
        ("outrigger.io/fault-sticky: 'cookie:a;ttl=1s'", 32, "only for sticky weights"),
        ("outrigger.io/fault-max-active: '0'", 36, "`0` is not a whole number above 0"),
        ("outrigger.io/fault-max-active: many", 36, "`many` is not a whole number above 0"),
        ("outrigger.io/fault-expires: tomorrow", 33, "`tomorrow` is not a point in time"),
        ("outrigger.io/fault-expires: '2026-12-01'", 33, "is not a point in time"),
        ("outrigger.io/fault-dry-run: 'yes'", 33, "`yes` is neither `true` nor `false`"),
        ("outrigger.io/fault-headers-secret-sha256: hunter2", 47, "this is not a SHA-256 in hexadecimal"),
        ("outrigger.io/fault-headers-from: ''", 38, "must not be empty"),
        ("outrigger.io/fault-headers-from: 10.0.0.0/33", 38, "names `10.0.0.0/33`, which is no IP block"),
        ("outrigger.io/fault-headers-from: spiffe://", 38, "names `spiffe://`, which is not a SPIFFE ID"),
        ("outrigger.io/fault-headers-from: 'spiffe://*/ns'", 38, "which is not a SPIFFE ID"),
    ] {
        let parsed = read(annotation, "VirtualService", SPEC);
        assert_eq!(parsed.problems.len(), 1, "{annotation}: {:#?}", parsed.problems);
        let problem = &parsed.problems[0];
        let place = problem.position.map(|place| (place.line, place.column));
        assert_eq!(place, Some((7, column)), "{annotation}");
        let said = problem.to_string();
        assert!(said.contains(expected) && problem.is_error(), "{annotation}\nsaid: {said}");
        assert!(!said.contains("hunter2"), "{said}");
        assert!(parsed.resources.is_empty());
    }
}

#[test]
fn other_kinds_have_none() {
    let spec = "{host: a}";
    let parsed = read("outrigger.io/fault-dry-run: 'true'", "DestinationRule", spec);
    let said: Vec<_> = parsed.problems.iter().map(ToString::to_string).collect();
    assert!(
        said.len() == 1 && said[0].contains("unknown annotation `outrigger.io/fault-dry-run`"),
        "{said:?}"
    );
    assert_eq!(read("other.io/z: a", "DestinationRule", spec).problems, []);
}

#[test]
fn those_of_a_request_authentication() {
    let read = |annotation: &str| read(annotation, "RequestAuthentication", "{jwtRules: []}");
    let annotations = |annotation: &str| {
        let parsed = read(annotation);
        match parsed.resources.into_iter().next().map(|resource| resource.spec) {
            Some(Spec::RequestAuthentication(authentication)) => authentication.annotations,
            other => panic!("{annotation}: {other:?} {:?}", parsed.problems),
        }
    };
    let none = JwtAnnotations::default();
    assert_eq!(annotations("other.io/y: z"), none);
    assert_eq!(annotations("outrigger.io/dry-run: 'true'"), JwtAnnotations { dry_run: true, ..none.clone() });
    assert_eq!(
        annotations("outrigger.io/token-cache: 'false'"),
        JwtAnnotations { token_cache: false, ..none.clone() }
    );
    let seconds = Duration::from_secs;
    assert_eq!(annotations("outrigger.io/jwks-refresh: 5m").jwks_refresh, Some(seconds(300)));
    assert_eq!(annotations("outrigger.io/jwks-max-stale: '0'").jwks_max_stale, seconds(0));
    for (annotation, expected) in [
        ("outrigger.io/jwks-refresh: 999ms", "`999ms` is shorter than a second"),
        ("outrigger.io/jwks-refresh: soon", "`soon` is not a duration"),
        ("outrigger.io/jwks-max-stale: -1s", "`-1s` is a negative duration"),
        ("outrigger.io/dry-run: 'yes'", "`yes` is neither `true` nor `false`"),
        ("outrigger.io/token-cache: 'on'", "`on` is neither `true` nor `false`"),
        ("outrigger.io/jwks-refreshh: 5m", "did you mean `outrigger.io/jwks-refresh`?"),
        ("outrigger.io/fault-dry-run: 'true'", "unknown annotation `outrigger.io/fault-dry-run`"),
        ("outrigger.io/zzzzzzzzz: '1'", "a RequestAuthentication can have outrigger.io/dry-run, "),
    ] {
        let parsed = read(annotation);
        let said: Vec<_> = parsed.problems.iter().map(ToString::to_string).collect();
        assert!(said.len() == 1 && said[0].contains(expected), "{annotation}\nsaid: {said:?}");
        assert!(parsed.resources.is_empty());
    }
}

#[test]
fn policies_that_ask_servers_can_be_tried_out() {
    let read = |annotation: &str, action: &str| {
        let text = format!(
            "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {{name: x, annotations: {{{annotation}}}}}\nspec: {{action: {action}, rules: [{{}}]}}"
        );
        let parsed = parse_yaml(text.as_bytes(), "x.yaml", "default");
        let said: Vec<_> = parsed.problems.iter().filter(|problem| problem.is_error()).cloned().collect();
        let dry_run = parsed.resources.first().map(|resource| match &resource.spec {
            Spec::AuthorizationPolicy(policy) => policy.dry_run,
            other => panic!("{other:?}"),
        });
        (dry_run, said.first().map(ToString::to_string).unwrap_or_default())
    };
    let custom = "CUSTOM, provider: {name: web}";
    let ours = "outrigger.io/dry-run";
    assert_eq!(read("", custom), (Some(false), String::new()));
    assert_eq!(read(&format!("{ours}: 'true'"), custom), (Some(true), String::new()));
    assert_eq!(read(&format!("{ours}: 'false'"), custom), (Some(false), String::new()));
    assert_eq!(read("istio.io/dry-run: 'true'", "DENY"), (Some(true), String::new()));
    for (annotation, action, said) in [
        (format!("{ours}: 'yes'"), custom, "is neither `true` nor `false`"),
        (format!("{ours}: 'true'"), "DENY", "`istio.io/dry-run` tries out ALLOW and DENY"),
        ("istio.io/dry-run: 'true'".to_owned(), custom, "only supported with actions ALLOW and DENY"),
        ("outrigger.io/dry-rum: 'true'".to_owned(), custom, "did you mean `outrigger.io/dry-run`?"),
    ] {
        let (dry_run, found) = read(&annotation, action);
        assert!(dry_run.is_none() && found.contains(said), "{annotation} {action}: {found}");
    }
}
