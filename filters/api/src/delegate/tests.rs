//! Root and delegate together, as tables.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::{parse_json, types::virtual_service::HttpMatchRequest};

/// A root `ns/root` with the rule `root`, and a delegate `other/leaf` with the rules `leaf`; both in JSON.
fn pair(root: &str, leaf: &str, export_to: &str) -> Vec<Resource> {
    let service = |namespace: &str, name: &str, fields: &str, http: &str| {
        format!(
            r#"{{"apiVersion":"networking.istio.io/v1","kind":"VirtualService",
            "metadata":{{"name":"{name}","namespace":"{namespace}"}},"spec":{{{fields}"http":[{http}]}}}}"#
        )
    };
    let root = format!(r#"{{"delegate":{{"name":"leaf","namespace":"other"}},{root}}}"#).replace(",}", "}");
    let last = r#"{"route":[{"destination":{"host":"last"}}]}"#;
    let items = [
        service("ns", "root", r#""hosts":["a.com"],"gateways":["gw"],"#, &format!("{root},{last}")),
        service("other", "leaf", &format!(r#""exportTo":[{export_to}],"#), leaf),
    ];
    let list = format!(r#"{{"apiVersion":"v1","kind":"List","items":[{}]}}"#, items.join(","));
    let parsed = parse_json(list.as_bytes(), "default");
    assert_eq!(parsed.problems, [], "{root} {leaf}");
    parsed.resources
}

fn with<R>(resources: &[Resource], read: impl FnOnce(Vec<EffectiveRoute<'_>>, Vec<Dropped<'_>>) -> R) -> R {
    let Some(Spec::VirtualService(spec)) = resources.first().map(|root| &root.spec) else { panic!() };
    let (routes, dropped) = Delegates::new(resources).routes(&resources[0], spec, "cluster.local");
    read(routes, dropped)
}

/// A leaf's rule with `fields`.
fn leaf(fields: &str) -> String {
    format!(r#"{{"route":[{{"destination":{{"host":"leaf"}}}}],{fields}}}"#).replace(",}", "}")
}

/// The matches that come of the pair; or none, and where they conflict.
fn merged(root: &str, leaf_match: &str) -> (Vec<HttpMatchRequest>, Option<String>) {
    let resources = pair(&format!(r#""match":{root}"#), &leaf(&format!(r#""match":{leaf_match}"#)), r#""*""#);
    with(&resources, |routes, dropped| match dropped.first().map(|dropped| &dropped.reason) {
        Some(DropReason::Conflict { conflict, .. }) => {
            assert_eq!(routes.len(), 1, "the root's last rule alone");
            (Vec::new(), Some(conflict.to_string()))
        }
        Some(other) => panic!("{other:?}"),
        None => (routes[0].route.matches.clone(), None),
    })
}

/// What a match in JSON is decoded as.
fn decoded(entry: &str) -> HttpMatchRequest {
    let resources = pair(&format!(r#""match":[{entry}]"#), &leaf(""), r#""*""#);
    let Spec::VirtualService(spec) = &resources[0].spec else { panic!() };
    spec.http[0].matches[0].clone()
}

#[test]
fn pairs_that_go_together_and_pairs_that_do_not() {
    for (root, leaf, expected) in [
        // Paths.
        (r#"{"uri":{"prefix":"/a"}}"#, "{}", Ok(r#"{"uri":{"prefix":"/a"}}"#)),
        ("{}", r#"{"uri":{"prefix":"/a"}}"#, Ok(r#"{"uri":{"prefix":"/a"}}"#)),
        (r#"{"uri":{"prefix":"/a"}}"#, r#"{"uri":{"prefix":"/a/b"}}"#, Ok(r#"{"uri":{"prefix":"/a/b"}}"#)),
        (r#"{"uri":{"prefix":"/a"}}"#, r#"{"uri":{"prefix":"/a"}}"#, Ok(r#"{"uri":{"prefix":"/a"}}"#)),
        (r#"{"uri":{"prefix":"/a"}}"#, r#"{"uri":{"exact":"/ab"}}"#, Ok(r#"{"uri":{"exact":"/ab"}}"#)),
        (r#"{"uri":{"exact":"/a"}}"#, r#"{"uri":{"exact":"/a"}}"#, Ok(r#"{"uri":{"exact":"/a"}}"#)),
        (r#"{"uri":{"prefix":"/a/b"}}"#, r#"{"uri":{"prefix":"/a"}}"#, Err("uri")),
        (r#"{"uri":{"prefix":"/a"}}"#, r#"{"uri":{"exact":"/b"}}"#, Err("uri")),
        (r#"{"uri":{"exact":"/a"}}"#, r#"{"uri":{"prefix":"/a"}}"#, Err("uri")),
        (r#"{"uri":{"exact":"/a"}}"#, r#"{"uri":{"exact":"/b"}}"#, Err("uri")),
        (r#"{"uri":{"regex":"/a.*"}}"#, r#"{"uri":{"exact":"/a"}}"#, Err("uri")),
        (r#"{"uri":{"regex":"/a"}}"#, r#"{"uri":{"regex":"/a"}}"#, Err("uri")),
        (r#"{"uri":{"prefix":"/a"}}"#, r#"{"uri":{"regex":"/a/.*"}}"#, Err("uri")),
        (r#"{"uri":{"regex":"/a.*"}}"#, "{}", Ok(r#"{"uri":{"regex":"/a.*"}}"#)),
        (r#"{"uri":{"prefix":""}}"#, r#"{"uri":{"prefix":"/a"}}"#, Err("uri")),
        (
            r#"{"uri":{"prefix":"/A"},"ignoreUriCase":true}"#,
            r#"{"uri":{"prefix":"/a/b"},"ignoreUriCase":true}"#,
            Err("uri"),
        ),
        (
            r#"{"uri":{"prefix":"/a"},"ignoreUriCase":true}"#,
            r#"{"uri":{"prefix":"/a"}}"#,
            Err("ignoreUriCase"),
        ),
        (r#"{"uri":{"prefix":"/a"}}"#, r#"{"ignoreUriCase":true}"#, Err("ignoreUriCase")),
        // The other texts.
        (r#"{"method":{"exact":"GET"}}"#, r#"{"method":{"exact":"PUT"}}"#, Err("method")),
        (r#"{"scheme":{"exact":"http"}}"#, r#"{"scheme":{"prefix":"http"}}"#, Err("scheme")),
        (
            r#"{"authority":{"prefix":"a"}}"#,
            r#"{"authority":{"exact":"a.com"}}"#,
            Ok(r#"{"authority":{"exact":"a.com"}}"#),
        ),
        (
            r#"{"method":{"exact":"GET"}}"#,
            r#"{"scheme":{"exact":"http"}}"#,
            Ok(r#"{"method":{"exact":"GET"},"scheme":{"exact":"http"}}"#),
        ),
        (r#"{"method":{}}"#, r#"{"method":{"exact":"GET"}}"#, Err("method")),
        (r#"{"method":{"exact":"GET"}}"#, r#"{"method":{}}"#, Err("method")),
        // Maps are merged by key.
        (
            r#"{"headers":{"a":{"exact":"1"},"b":{"prefix":"2"}}}"#,
            r#"{"headers":{"b":{"exact":"22"},"c":{}}}"#,
            Ok(r#"{"headers":{"a":{"exact":"1"},"b":{"exact":"22"},"c":{}}}"#),
        ),
        (r#"{"headers":{"a":{}}}"#, r#"{"headers":{"a":{"exact":"1"}}}"#, Err("headers[\"a\"]")),
        (r#"{"headers":{"a":{"regex":"1"}}}"#, r#"{"headers":{"a":{"exact":"1"}}}"#, Err("headers[\"a\"]")),
        (
            r#"{"headers":{"@request.auth.claims.sub":{"exact":"ann"}}}"#,
            r#"{"headers":{"x":{"exact":"1"}}}"#,
            Ok(r#"{"headers":{"@request.auth.claims.sub":{"exact":"ann"},"x":{"exact":"1"}}}"#),
        ),
        (
            r#"{"withoutHeaders":{"a":{"exact":"1"}}}"#,
            r#"{"withoutHeaders":{"a":{"exact":"2"}}}"#,
            Err("withoutHeaders[\"a\"]"),
        ),
        (
            r#"{"withoutHeaders":{"a":{"exact":"1"}}}"#,
            r#"{"headers":{"a":{"exact":"1"}}}"#,
            Ok(r#"{"headers":{"a":{"exact":"1"}},"withoutHeaders":{"a":{"exact":"1"}}}"#),
        ),
        (
            r#"{"queryParams":{"q":{"exact":"1"}}}"#,
            r#"{"queryParams":{"q":{"exact":"1"}}}"#,
            Ok(r#"{"queryParams":{"q":{"exact":"1"}}}"#),
        ),
        (
            r#"{"queryParams":{"q":{"exact":"1"}}}"#,
            r#"{"queryParams":{"q":{"prefix":"1"}}}"#,
            Err("queryParams[\"q\"]"),
        ),
        // Where it counts.
        (r#"{"port":80}"#, "{}", Ok(r#"{"port":80}"#)),
        (r#"{"port":80}"#, r#"{"port":81}"#, Err("port")),
        (r#"{"sourceNamespace":"a"}"#, "{}", Err("sourceNamespace")),
        ("{}", r#"{"sourceNamespace":"a"}"#, Ok(r#"{"sourceNamespace":"a"}"#)),
        (r#"{"sourceNamespace":"a"}"#, r#"{"sourceNamespace":"b"}"#, Err("sourceNamespace")),
        (
            r#"{"sourceLabels":{"a":"1"}}"#,
            r#"{"sourceLabels":{"b":"2"}}"#,
            Ok(r#"{"sourceLabels":{"a":"1","b":"2"}}"#),
        ),
        (r#"{"sourceLabels":{"a":"1"}}"#, r#"{"sourceLabels":{"a":"2"}}"#, Err("sourceLabels")),
        (r#"{"gateways":["x/g","x/h"]}"#, r#"{"gateways":["x/g"]}"#, Ok(r#"{"gateways":["x/g"]}"#)),
        (r#"{"gateways":["x/g"]}"#, r#"{"gateways":["x/h"]}"#, Err("gateways")),
        (r#"{"gateways":["x/g"]}"#, r#"{"gateways":["x/g","x/g"]}"#, Err("gateways")),
        (r#"{"gateways":["x/g"]}"#, "{}", Ok(r#"{"gateways":["x/g"]}"#)),
        ("{}", r#"{"gateways":["x/g"]}"#, Ok(r#"{"gateways":["x/g"]}"#)),
        // Names.
        (r#"{"name":"r"}"#, r#"{"name":"l"}"#, Ok(r#"{"name":"r-l"}"#)),
        (r#"{"name":"r"}"#, "{}", Ok(r#"{"name":"r"}"#)),
        (r#"{"statPrefix":"r"}"#, r#"{"statPrefix":"l"}"#, Ok(r#"{"statPrefix":"l"}"#)),
    ] {
        let found = merged(&format!("[{root}]"), &format!("[{leaf}]"));
        match expected {
            Ok(entry) => assert_eq!(found, (vec![decoded(entry)], None), "{root} {leaf}"),
            Err(field) => assert_eq!(found, (vec![], Some(format!("match[0].{field}"))), "{root} {leaf}"),
        }
    }
}

#[test]
fn every_pair_counts_but_a_match_without_a_partner_drops_the_rule() {
    let uri = |entry: &HttpMatchRequest| match &entry.uri {
        Some(crate::types::common::StringMatch::Prefix(uri)) => uri.clone(),
        other => format!("{other:?}"),
    };
    let (a, b, ab, c) = (
        r#"{"uri":{"prefix":"/a"}}"#,
        r#"{"uri":{"prefix":"/b"}}"#,
        r#"{"uri":{"prefix":"/a/b"}}"#,
        r#"{"uri":{"prefix":"/c"}}"#,
    );
    for (root, leaf, expected) in [
        (format!("[{a},{b}]"), "[]".to_owned(), Ok(vec!["/a", "/b"])),
        ("[]".to_owned(), format!("[{a},{b}]"), Ok(vec!["/a", "/b"])),
        (format!("[{a},{b}]"), format!("[{ab}]"), Ok(vec!["/a/b"])),
        (format!("[{a},{b}]"), r#"[{"port":80}]"#.to_owned(), Ok(vec!["/a", "/b"])),
        (format!("[{a},{b}]"), format!(r#"[{ab},{{"port":80}}]"#), Ok(vec!["/a/b", "/a", "/b"])),
        (format!("[{a},{b}]"), format!("[{ab},{c}]"), Err("match[1].uri")),
    ] {
        let (matches, conflict) = merged(&root, &leaf);
        let uris: Vec<_> = matches.iter().map(uri).collect();
        match expected {
            Ok(expected) => {
                assert_eq!((uris, conflict), (expected.into_iter().map(str::to_owned).collect(), None))
            }
            Err(place) => assert_eq!(conflict.as_deref(), Some(place)),
        }
    }
    let resources = pair(
        &format!(r#""match":[{a},{b}]"#),
        &format!("{},{}", leaf(""), leaf(&format!(r#""match":[{b},{b}]"#))),
        r#""*""#,
    );
    let indexes =
        with(&resources, |routes, _| routes.into_iter().map(|route| route.match_indexes).collect::<Vec<_>>());
    assert_eq!(indexes, [vec![None, None], vec![Some(0), Some(1)], vec![]]);
}

#[test]
fn the_leaf_overrides_and_inherits_the_rest() {
    let fields = [
        (r#""name":"NAME""#, "name"),
        (r#""rewrite":{"uri":"/NAME"}"#, "rewrite"),
        (r#""timeout":"1s""#, "timeout"),
        (r#""retries":{"attempts":3}"#, "retries"),
        (r#""fault":{"abort":{"percentage":{"value":100},"httpStatus":418}}"#, "fault"),
        (r#""mirror":{"host":"NAME"}"#, "mirrors"),
        (r#""corsPolicy":{"allowHeaders":["NAME"]}"#, "cors"),
        (r#""headers":{"request":{"set":{"NAME":"x"}}}"#, "headers"),
    ];
    for (field, what) in fields {
        let root = field.replace("NAME", "root");
        let own = field.replace("NAME", "leaf");
        let inherited = pair(&root, &leaf(""), r#""*""#);
        let overridden = pair(&root, &leaf(&own), r#""*""#);
        let Spec::VirtualService(spec) = &overridden[1].spec else { panic!() };
        let mut alone = spec.http[0].clone();
        if what == "name" {
            alone.name = Some("root-leaf".to_owned());
        }
        with(&overridden, |routes, _| assert_eq!(*routes[0].route, alone, "{field}"));
        with(&inherited, |routes, _| {
            let Spec::VirtualService(root) = &inherited[0].spec else { panic!() };
            let (route, root) = (&*routes[0].route, &root.http[0]);
            match what {
                // The root's short name is of its own namespace, not of the leaf's.
                "mirrors" => {
                    assert_eq!(route.mirror.as_ref().unwrap().host, "root.ns.svc.cluster.local");
                }
                _ => {
                    let expected = HttpRoute { action: route.action.clone(), ..root.clone() };
                    assert_eq!(*route, expected, "{field}");
                }
            }
        });
    }
    // Each field of mirrors by itself.
    for (root, own, expected) in [
        (r#""mirrorPercentage":{"value":10}"#, r#""mirror":{"host":"a"}"#, &[("a", 100_000)][..]),
        (r#""mirror":{"host":"b.c"}"#, r#""mirrorPercentage":{"value":10}"#, &[("b.c", 100_000)]),
        (
            r#""mirrors":[{"destination":{"host":"b.c"}}]"#,
            r#""mirror":{"host":"a"}"#,
            &[("a", 1_000_000), ("b.c", 1_000_000)],
        ),
        (r#""mirrorPercentage":{"value":0}"#, r#""mirror":{"host":"a"}"#, &[]),
    ] {
        with(&pair(root, &leaf(own), r#""*""#), |routes, _| {
            let copies: Vec<_> =
                routes[0].route.copies().map(|(to, share)| (to.host.as_str(), share.get())).collect();
            assert_eq!(copies, expected, "{root} {own}");
        });
    }
    // The leaf's headers replace the root's as a whole.
    let both = pair(
        r#""headers":{"request":{"set":{"a":"1"}}}"#,
        &leaf(r#""headers":{"response":{"set":{"b":"2"}}}"#),
        r#""*""#,
    );
    with(&both, |routes, _| assert!(routes[0].route.headers.request.set.is_empty()));
    // The root's answer stands in for the leaf's destinations, not for its redirect.
    let answers = format!(r#"{},{{"redirect":{{"uri":"/x"}}}}"#, leaf(""));
    let resources = pair(r#""directResponse":{"status":418}"#, &answers, r#""*""#);
    with(&resources, |routes, _| {
        assert!(
            matches!(&routes[0].route.action, RouteAction::DirectResponse(answer) if answer.status == 418)
        );
        assert!(matches!(routes[1].route.action, RouteAction::Redirect(_)));
    });
}

#[test]
fn what_is_missing_or_hidden_drops_the_roots_rule_alone() {
    for (export_to, visible) in
        [(r#""*""#, true), ("", true), (r#""ns""#, true), (r#"".""#, false), (r#""x""#, false)]
    {
        let resources = pair("", &leaf(""), export_to);
        with(&resources, |routes, dropped| {
            assert_eq!(routes.len(), if visible { 2 } else { 1 }, "{export_to}");
            assert_eq!(routes.last().map(|last| (last.index, last.root.is_none())), Some((1, true)));
            let hidden = matches!(dropped.first().map(|d| &d.reason), Some(DropReason::NotVisible(_)));
            assert_eq!(hidden, !visible, "{export_to}");
        });
    }
    let mut resources = pair("", &leaf(""), "");
    resources.truncate(1);
    with(&resources, |routes, dropped| {
        assert_eq!((routes.len(), dropped.len()), (1, 1));
        assert!(matches!(dropped[0].reason, DropReason::Missing));
        assert_eq!((dropped[0].root.index, dropped[0].delegate.name.as_str()), (0, "leaf"));
    });
    let mut resources = pair("", &leaf(""), "");
    if let Spec::VirtualService(spec) = &mut resources[1].spec {
        spec.hosts.push(crate::host::HostPattern::Any);
    }
    with(&resources, |_, dropped| assert!(matches!(dropped[0].reason, DropReason::HasHosts(_))));
}
