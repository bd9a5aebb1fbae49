#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

mod custom;
mod fields;
mod nearest;
#[cfg(not(target_arch = "wasm32"))]
mod properties;
#[cfg(not(target_arch = "wasm32"))]
mod reference;
#[cfg(not(target_arch = "wasm32"))]
mod scale;
mod truth;

use serde_json::{Value, json};

use super::*;
use crate::Connection;
use crate::jwt::Identity;

/// A request to be decided.
#[derive(Debug, Clone, Default)]
struct Call {
    /// Pseudo headers and headers.
    lines: Vec<(Vec<u8>, Vec<u8>)>,
    peer: Option<Vec<u8>>,
    sni: Option<Vec<u8>>,
    source: Option<&'static str>,
    remote: Option<&'static str>,
    destination: Option<(&'static str, u16)>,
    claims: Option<Value>,
}

impl Call {
    fn get(path: &str) -> Self {
        Self::default().line(":method", b"GET").line(":authority", b"httpbin").line(":path", path.as_bytes())
    }

    fn line(mut self, name: &str, value: &[u8]) -> Self {
        self.lines.push((name.into(), value.into()));
        self
    }

    fn peer(mut self, peer: &str) -> Self {
        self.peer = Some(peer.into());
        self
    }

    fn with_claims(mut self, claims: Value) -> Self {
        self.claims = Some(claims);
        self
    }

    /// Calls `then` with the request as the engine sees it.
    fn view<T>(&self, then: impl FnOnce(&Request<'_>) -> T) -> T {
        let lines: Vec<(&[u8], &[u8])> =
            self.lines.iter().map(|(n, v)| (n.as_slice(), v.as_slice())).collect();
        let ip = |text: Option<&str>| text.map(|text| text.parse().expect("an address"));
        let connection = Connection {
            source_ip: ip(self.source),
            remote_ip: ip(self.remote),
            destination_ip: ip(self.destination.map(|(address, _)| address)),
            destination_port: self.destination.map(|(_, port)| port),
            sni: self.sni.as_deref(),
            peer_principal: self.peer.as_deref(),
            lookup: None,
        };
        let identity =
            self.claims.clone().map(|claims| Identity::from(claims.as_object().expect("an object").clone()));
        then(&Request::new(&lines, &connection).with_identity(identity.as_ref()))
    }
}

/// `notPaths` for `paths`.
fn negated(field: &str) -> String {
    let (first, rest) = field.split_at(1);
    format!("not{}{rest}", first.to_ascii_uppercase())
}

fn resource(name: &str, spec: &Value) -> Resource {
    read(name, spec).unwrap_or_else(|problems| panic!("{spec}: {problems:?}"))
}

/// The policy, or what is wrong with it.
fn read(name: &str, spec: &Value) -> Result<Resource, Vec<Problem>> {
    let mut object = json!({
        "apiVersion": "security.istio.io/v1",
        "kind": "AuthorizationPolicy",
        "metadata": { "name": name, "namespace": "default" },
    });
    let mut spec = spec.clone();
    if let Some(dry) = spec.as_object_mut().and_then(|spec| spec.remove("dryRun")) {
        object["metadata"]["annotations"] = json!({ "istio.io/dry-run": dry });
    }
    if !spec.is_null() {
        object["spec"] = spec;
    }
    let parsed = outrigger_api::parse_json(object.to_string().as_bytes(), "default");
    match parsed.problems.iter().any(Problem::is_error) {
        true => Err(parsed.problems),
        false => Ok(parsed.resources.into_iter().next().expect("a resource")),
    }
}

fn resources(specs: &[Value]) -> Vec<Resource> {
    specs.iter().enumerate().map(|(at, spec)| resource(&format!("p{at}"), spec)).collect()
}

fn policies(specs: &[Value]) -> Policies {
    Policies::compile(&resources(specs), &Proxy::default(), &[]).expect("policies that can be carried out")
}

/// Whether `call` passes, by policies with these specs.
fn passes(specs: &[Value], call: &Call) -> bool {
    let policies = policies(specs);
    call.view(|request| policies.decide(request).allowed)
}

#[test]
fn fields_of_one_part_are_joined_by_and() {
    let call = Call::get("/").line("x", b"1").peer("spiffe://td/ns/here/sa/a");
    for (rule, passing) in [
        (json!({"from": [{"source": {"namespaces": ["here"], "principals": ["td/ns/here/sa/b"]}}]}), false),
        (json!({"from": [{"source": {"namespaces": ["here"], "notPrincipals": ["td/ns/here/sa/b"]}}]}), true),
        (json!({"to": [{"operation": {"methods": ["GET"], "paths": ["/x"]}}]}), false),
        // A value and a not-value of one entry.
        (json!({"when": [{"key": "request.headers[x]", "values": ["*"], "notValues": ["1"]}]}), false),
        (json!({"when": [{"key": "request.headers[x]", "values": ["*"], "notValues": ["2"]}]}), true),
    ] {
        assert_eq!(passes(&[json!({"rules": [rule]})], &call), passing, "{rule}");
        assert_eq!(passes(&[json!({"action": "DENY", "rules": [rule]})], &call), !passing, "{rule}");
    }
}

#[test]
fn the_answer_names_the_rule_as_envoy_does() {
    let header = |value: &str| json!({"when": [{"key": "request.headers[x]", "values": [value]}]});
    let deny = json!({"action": "DENY", "rules": [header("a"), header("b"), header("b")]});
    let allow = json!({"rules": [header("c")]});
    let policies = policies(&[deny, allow]);
    for (value, details, rule) in [
        (&b"b"[..], Some("rbac_access_denied_matched_policy[ns[default]-policy[p0]-rule[1]]"), Some(1)),
        (b"d", Some("rbac_access_denied_matched_policy[none]"), None),
        (b"c", None, Some(0)),
    ] {
        Call::get("/").line("x", value).view(|request| {
            let decision = policies.decide(request);
            assert_eq!(decision.rule.map(|rule| rule.rule), rule);
            let reply = decision.reply();
            assert_eq!(reply.as_ref().map(|reply| &*reply.details), details);
            if let Some(reply) = reply {
                assert_eq!((reply.status, &*reply.body), (403, &b"RBAC: access denied"[..]));
                assert_eq!(reply.headers, [("content-type".into(), b"text/plain"[..].into())]);
            }
        });
    }
}

#[test]
fn audit_and_dry_run_are_told() {
    let get = json!([{"to": [{"operation": {"methods": ["GET"]}}]}]);
    let policies = policies(&[
        json!({"action": "AUDIT", "rules": get}),
        json!({"action": "DENY", "rules": get, "dryRun": "true"}),
        json!({"dryRun": "true"}),
    ]);
    Call::get("/").view(|request| {
        let decision = policies.decide(request);
        assert!(decision.allowed && decision.rule.is_none() && decision.action.is_none());
        assert_eq!(decision.audited.map(|rule| &*rule.resource), Some("default/p0"));
        let shadow: Vec<_> = decision
            .shadow
            .iter()
            .map(|s| (s.action, s.allowed, s.rule.map(|rule| &*rule.resource)))
            .collect();
        assert_eq!(shadow, [(Action::Deny, false, Some("default/p1")), (Action::Allow, false, None)]);
    });
}

#[test]
fn what_is_not_carried_out_is_refused_by_name() {
    let metadata = json!({"key": "experimental.envoy.filters.http.x[k]", "values": ["v"]});
    let resources = resources(&[
        json!({"action": "CUSTOM", "provider": {"name": "opa"}, "rules": [{}]}),
        json!({"action": "DENY", "rules": [{}, {"when": [metadata]}]}),
        json!({"rules": [{}]}),
    ]);
    let problems = Policies::compile(&resources, &Proxy::default(), &[]).expect_err("must be refused");
    let told: Vec<_> =
        problems.iter().map(|problem| (problem.path.to_string(), problem.message.clone())).collect();
    assert_eq!(
        told,
        [
            ("spec.provider.name".to_owned(), "there is no extension provider `opa`".to_owned()),
            (
                "spec.rules[1].when[0].key".to_owned(),
                "condition `experimental.envoy.filters.http.x[k]` is not carried out yet".to_owned()
            ),
        ]
    );
}

#[test]
fn only_policies_of_this_workload_count() {
    let mut elsewhere = resource("p", &json!({}));
    elsewhere.meta.namespace = "elsewhere".to_owned();
    let selected = resource("q", &json!({"selector": {"matchLabels": {"app": "other"}}}));
    let mut root = resource("r", &json!({"action": "DENY", "rules": [{}]}));
    root.meta.namespace = "istio-system".to_owned();
    for (policies, passing) in [(vec![elsewhere, selected], true), (vec![root], false)] {
        let policies = Policies::compile(&policies, &Proxy::default(), &[]).unwrap();
        assert_eq!(Call::get("/").view(|request| policies.decide(request).allowed), passing);
    }
}

#[test]
fn only_what_rules_ask_for_is_named() {
    let rule = |rule: Value| policies(&[json!({"rules": [rule]})]).attributes();
    let source = |source: Value| rule(json!({"from": [{"source": source}]}));
    let when = |key: &str, value: &str| rule(json!({"when": [{"key": key, "values": [value]}]}));
    let operation = |operation: Value| rule(json!({"to": [{"operation": operation}]}));
    assert_eq!(operation(json!({"paths": ["/"], "hosts": ["*"]})), Attributes::PATH | Attributes::AUTHORITY);
    assert_eq!(operation(json!({"notPaths": ["/{*}"]})), Attributes::PATH);
    assert_eq!(operation(json!({"notMethods": ["GET"]})), Attributes::METHOD);
    assert_eq!(source(json!({"ipBlocks": ["10.0.0.0/8"]})), Attributes::SOURCE_IP);
    assert_eq!(source(json!({"notRemoteIpBlocks": ["10.0.0.0/8"]})), Attributes::REMOTE_IP);
    assert_eq!(source(json!({"notNamespaces": ["x"]})), Attributes::PEER_PRINCIPAL);
    assert_eq!(source(json!({"trustDomains": ["x"]})), Attributes::PEER_PRINCIPAL);
    assert_eq!(source(json!({"requestPrincipals": ["*"]})), Attributes::CLAIMS);
    assert_eq!(when("destination.ip", "10.0.0.1"), Attributes::DESTINATION_IP);
    assert_eq!(when("destination.port", "80"), Attributes::DESTINATION_PORT);
    assert_eq!(when("connection.sni", "x"), Attributes::SNI);
    assert_eq!(when("request.headers[x]", "x"), Attributes::HEADERS);
    let both = policies(&[
        json!({"action": "DENY", "rules": [{"when": [{"key": "connection.sni", "values": ["x"]}]}]}),
        json!({"dryRun": "true", "rules": [{"when": [{"key": "source.ip", "values": ["::1"]}]}]}),
    ]);
    assert_eq!(both.attributes(), Attributes::SNI | Attributes::SOURCE_IP);
}
