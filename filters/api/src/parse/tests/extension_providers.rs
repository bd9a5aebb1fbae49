//! Servers that authorize requests: in the mesh configuration, and in a filter's.

use std::time::Duration;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::types::authorization_policy::ValuePattern;
use crate::types::extension_provider::{
    Check, ExtAuthzHttp, ExtensionProvider, ProviderKind, RequestBody, ServiceName,
};
use crate::{Config, Decoder, parse_mesh_config};

fn read(providers: &str) -> (Vec<ExtensionProvider>, Vec<String>) {
    let text = format!("extensionProviders:\n{providers}");
    let (mesh, problems) = parse_mesh_config(text.as_bytes(), "m");
    (mesh.extension_providers, problems.iter().map(ToString::to_string).collect())
}

const FULL: &str = "
- name: web
  envoyExtAuthzHttp:
    service: foo/ext-authz.foo.svc.cluster.local
    port: 8000
    timeout: 1.5s
    pathPrefix: /check
    failOpen: true
    clearRouteCache: true
    statusOnError: '503'
    includeRequestHeadersInCheck: [x-id, x-a-*, '*-b']
    includeAdditionalHeadersInCheck: {x-b: two, x-a: '%PROTOCOL%'}
    includeRequestBodyInCheck: {maxRequestBytes: 4096, allowPartialMessage: true, packAsBytes: true}
    headersToUpstreamOnAllow: [Authorization]
    headersToDownstreamOnDeny: [set-cookie]
    headersToDownstreamOnAllow: ['*-seen']
- name: rpc
  envoyExtAuthzGrpc: {service: 10.0.0.1, port: 9000}
";

fn full() -> [ExtensionProvider; 2] {
    let exact = |name: &str| ValuePattern::Exact(name.to_owned());
    let web = ExtAuthzHttp {
        check: Check {
            service: ServiceName {
                namespace: Some("foo".to_owned()),
                host: "ext-authz.foo.svc.cluster.local".to_owned(),
            },
            port: 8000,
            timeout: Duration::from_millis(1500),
            fail_open: true,
            clear_route_cache: true,
            status_on_error: 503,
            request_body: Some(RequestBody { max_bytes: 4096, allow_partial: true, pack_as_bytes: true }),
        },
        path_prefix: "/check".to_owned(),
        request_headers: vec![
            exact("x-id"),
            ValuePattern::Prefix("x-a-".to_owned()),
            ValuePattern::Suffix("-b".to_owned()),
        ],
        additional_headers: vec![
            ("x-a".to_owned(), "%PROTOCOL%".to_owned()),
            ("x-b".to_owned(), "two".to_owned()),
        ],
        to_upstream_on_allow: vec![exact("Authorization")],
        to_downstream_on_deny: vec![exact("set-cookie")],
        to_downstream_on_allow: vec![ValuePattern::Suffix("-seen".to_owned())],
    };
    let rpc = Check {
        service: ServiceName { namespace: None, host: "10.0.0.1".to_owned() },
        port: 9000,
        timeout: Duration::from_secs(600),
        fail_open: false,
        clear_route_cache: false,
        status_on_error: 403,
        request_body: None,
    };
    [
        ExtensionProvider { name: "web".to_owned(), kind: ProviderKind::ExtAuthzHttp(Box::new(web)) },
        ExtensionProvider { name: "rpc".to_owned(), kind: ProviderKind::ExtAuthzGrpc(rpc) },
    ]
}

#[test]
fn every_field_is_read() {
    assert_eq!(read(FULL), (full().to_vec(), Vec::new()));
}

#[test]
fn a_filters_configuration_has_them_too() {
    let config = Config { extension_providers: full().to_vec(), ..Config::default() };
    let json = config.to_json().to_string();
    assert_eq!(Config::from_json(json.as_bytes()), Ok(config.clone()));
    assert_eq!(Config::read(json.as_bytes(), &[Decoder::AUTHORIZATION_POLICY]), Ok(config));
    // Other filters name none.
    let other = Config::read(json.as_bytes(), &[Decoder::VIRTUAL_SERVICE]).unwrap();
    assert_eq!(other.extension_providers, []);
    assert!(Config::default().to_json().get("extensionProviders").is_none());
}

#[test]
fn in_a_filter_every_one_must_be_usable() {
    for (provider, said) in [
        (r#"{"name": "a"}"#, "without a kind"),
        (r#"{"name": "a", "prometheus": {}}"#, "not carried out"),
        (r#"{"name": "a", "envoyExtAuthzHttp": {"service": "b"}}"#, "missing `port`"),
    ] {
        let text = format!(r#"{{"proxy": {{"role": "gateway"}}, "extensionProviders": [{provider}]}}"#);
        let problems = Config::from_json(text.as_bytes()).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:#?}");
        let problem = problems[0].to_string();
        assert!(problem.contains(said) && problem.contains("extensionProviders[0]"), "{problem}");
    }
    let old = r#"{"proxy": {"role": "gateway"}, "extensionProviders": [{"name": "a", "envoyExtAuthzHttp":
        {"service": "b", "port": 1, "includeHeadersInCheck": ["x"]}}]}"#;
    assert_eq!(Config::from_json(old.as_bytes()).unwrap().extension_providers.len(), 1, "a warning only");
}

#[test]
fn what_is_wrong_is_said_where_it_stands() {
    let start = "- {name: a, envoyExtAuthzHttp: {";
    for (field, place, said) in [
        ("service: 'a b'", "'a b'", "error: `a b` is not a host name: `a b` is no label of one"),
        ("service: '*/a'", "'*/a'", "error: `*/a` is not `[namespace/]host`: `*` is not a namespace"),
        ("service: n/*.a", "n/*.a", "error: `n/*.a` is not a host name: a `*` can only stand in front"),
        ("service: a/b/c", "a/b/c", "error: `a/b/c` is not a host name"),
        ("service: ''", "''", "error: must not be empty"),
        ("port: 65536", "65536", "error: port `65536` is not within 1 and 65535"),
        ("timeout: 0s", "0s", "error: `0s` "),
        ("statusOnError: '99'", "'99'", "error: `99` is not an HTTP status that Envoy knows"),
        ("statusOnError: 503", "503", "error: expected a string, found the number `503`"),
        ("statusOnError: '0'", "'0'", "error: `0` is not an HTTP status"),
        ("pathPrefix: check", "check", "error: `check` does not begin with `/`"),
        ("pathPrefix: /a%2", "/a%2", "error: `/a%2` has a `%`"),
        ("pathPrefix: '/a b'", "'/a b'", "error: `/a b` contains a space"),
        ("headersToUpstreamOnAllow: [a, '*']", "'*'", "error: `*` alone is no name of a header"),
        ("headersToDownstreamOnDeny: ['']", "''", "error: must not be empty"),
        ("includeAdditionalHeadersInCheck: {'a b': c}", "'a b'", "`a b` is not the name of a header"),
        ("includeAdditionalHeadersInCheck: {a: '%'}", "'%'", "error: `%` ends in a single `%`"),
        ("includeAdditionalHeadersInCheck: {x-*: c}", "c}", "warning: `x-*` is sent by just that name"),
        (
            "includeRequestHeadersInCheck: [x-*-id]",
            "x-*-id",
            "warning: only one `*`, at one end, stands for any",
        ),
        (
            "headersToUpstreamOnAllow: ['*-id*']",
            "'*-id*'",
            "warning: only one `*`, at one end, stands for any",
        ),
        ("includeRequestBodyInCheck: {}", "includeR", "error: missing `maxRequestBytes`"),
        ("includeRequestBodyInCheck: {maxRequestBytes: 0}", "0", "error: `0` is not within 1 and"),
        ("includeHeadersInCheck: [a]", "includeH", "warning: `includeHeadersInCheck` is deprecated"),
        ("failOpn: true", "failOpn", "error: unknown field `failOpn`"),
    ] {
        // What is missing for a provider is added, so that there is this one problem.
        let rest = [("service:", ", service: a"), ("port:", ", port: 1")];
        let rest = rest.map(|(name, whole)| if field.starts_with(name) { "" } else { whole });
        let (providers, problems) = read(&format!("{start}{field}{}}}}}", rest.concat()));
        assert_eq!(problems.len(), 1, "{field}: {problems:#?}");
        let column = start.len() + field.find(place).unwrap() + 1;
        assert!(problems[0].starts_with(&format!("m:2:{column}: ")), "{field}: {problems:#?}");
        assert!(problems[0].contains(said), "{field}: {problems:#?}");
        if said.starts_with("warning") {
            assert_eq!(providers.len(), 1, "{field}");
        }
    }
}

#[test]
fn names_and_kinds_are_checked() {
    let grpc = "envoyExtAuthzGrpc: {service: a, port: 1}";
    for (provider, said) in [
        (format!("- {{name: A, {grpc}}}"), "`A` is not the name of a provider"),
        (format!("- {{name: -a, {grpc}}}"), "`-a` is not the name of a provider"),
        (format!("- {{name: {}, {grpc}}}", "a".repeat(64)), "is not the name of a provider"),
        (format!("- {{name: '', {grpc}}}"), "must not be empty"),
        (format!("- {{{grpc}}}"), "missing `name`"),
        (format!("- {{name: a, {grpc}}}\n- {{name: a, {grpc}}}"), "extension provider `a` is given twice"),
        (format!("- {{name: a, {grpc}, zipkin: {{}}}}"), "only one of"),
        ("- {name: a}".to_owned(), "without a kind"),
        ("- {name: a, zipkins: {}}".to_owned(), "did you mean `zipkin`?"),
        ("- name: a\n  envoyExtAuthzGrpc: {service: a, port: 1, pathPrefix: /}".to_owned(), "unknown field"),
        ("- null".to_owned(), "expected a mapping"),
    ] {
        let (_, problems) = read(&provider);
        assert!(problems.iter().any(|problem| problem.contains(said)), "{provider}\n{problems:#?}");
    }
    let (providers, problems) = read("- {name: My.Log, stackdriver: {}}");
    assert_eq!(providers, []);
    assert_eq!(
        problems,
        ["m:2:18: warning: extension providers of kind `stackdriver` are not carried out \
          (extensionProviders[0].stackdriver)"]
    );
}
