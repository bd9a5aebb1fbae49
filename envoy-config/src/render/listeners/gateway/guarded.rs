//! VirtualServices on a server with `httpsRedirect`, where proxies in front of the gateway are believed: who came to them
//! by HTTPS, as `x-forwarded-proto` says, is not sent there again, and meets the rules. Envoy looks at the same header.

use std::sync::Arc;

use outrigger_api::host::HostPattern;
use outrigger_api::node::{Key, Node, Value};
use outrigger_api::resource::{Resource, Spec};
use outrigger_api::types::common::StringMatch;
use outrigger_api::types::virtual_service::{HeaderKey, HttpMatchRequest};

use super::narrow::get_mut;

const PROTOCOL: &str = "x-forwarded-proto";
const HTTPS: &str = "https";

/// For these hosts alone.
pub(super) fn on_hosts(mut resource: Resource, hosts: &[HostPattern]) -> Resource {
    if let Spec::VirtualService(service) = &mut resource.spec {
        service.hosts = hosts.to_vec();
    }
    let names = hosts.iter().map(|host| node(Value::String(host.to_string()))).collect();
    let spec = get_mut(Arc::make_mut(&mut resource.node), "spec");
    if let Some(field) = spec.and_then(|spec| get_mut(spec, "hosts")) {
        *field = node(Value::Sequence(names));
    }
    resource
}

/// For requests that came by HTTPS alone. A rule that asks for another protocol keeps doing that: Envoy redirects such
/// requests, whatever the filters say of them.
pub(super) fn by_https(mut resource: Resource) -> Resource {
    let asked = HeaderKey::Name(PROTOCOL.to_owned());
    if let Spec::VirtualService(service) = &mut resource.spec {
        for rule in &mut service.http {
            if rule.matches.is_empty() {
                rule.matches.push(HttpMatchRequest::default());
            }
            for entry in &mut rule.matches {
                if entry.headers.iter().all(|(key, _)| *key != asked) {
                    entry.headers.push((asked.clone(), StringMatch::Exact(HTTPS.to_owned())));
                    entry.headers.sort_by(|(one, _), (other, _)| one.cmp(other));
                }
            }
        }
    }
    let rules = get_mut(Arc::make_mut(&mut resource.node), "spec").and_then(|spec| get_mut(spec, "http"));
    for rule in rules.and_then(items).into_iter().flatten() {
        guard(rule);
    }
    resource
}

/// The same in what is written.
fn guard(rule: &mut Node) -> Option<()> {
    let matches = field(rule, "match")?;
    if !matches!(&matches.value, Value::Sequence(items) if !items.is_empty()) {
        matches.value = Value::Sequence(vec![Node::null()]);
    }
    for entry in items(matches)? {
        let headers = field(entry, "headers")?;
        let known = matches!(&headers.value, Value::Mapping(entries)
            if entries.iter().any(|(key, _)| key.name.eq_ignore_ascii_case(PROTOCOL)));
        if !known {
            *field(field(headers, PROTOCOL)?, "exact")? = node(Value::String(HTTPS.to_owned()));
        }
    }
    Some(())
}

fn node(value: Value) -> Node {
    Node { value, position: None }
}

fn items(list: &mut Node) -> Option<&mut Vec<Node>> {
    match &mut list.value {
        Value::Sequence(items) => Some(items),
        _ => None,
    }
}

/// A field of a mapping; both are made if they are not there.
fn field<'n>(mapping: &'n mut Node, name: &str) -> Option<&'n mut Node> {
    if !matches!(mapping.value, Value::Mapping(_)) {
        mapping.value = Value::Mapping(Vec::new());
    }
    let Value::Mapping(fields) = &mut mapping.value else { return None };
    if fields.iter().all(|(key, _)| key.name != name) {
        fields.push((Key { name: name.to_owned(), position: None }, Node::null()));
    }
    fields.iter_mut().find(|(key, _)| key.name == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use outrigger_api::{Config, parse_json};

    use super::*;
    use crate::render::testing::resources;

    /// The filters read what is written, `explain` and the clusters are made from what was read.
    #[test]
    fn what_is_written_says_the_same() {
        let text = "
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: a}
spec:
  hosts: [a.example.com, b.example.com]
  gateways: [gw]
  http:
  - {match: [{uri: {prefix: /a}, headers: {y: {exact: x}}}, {}], directResponse: {status: 200}}
  - {match: [{headers: {X-Forwarded-Proto: {exact: http}}}], directResponse: {status: 200}}
  - {match: [null], delegate: {name: b}}
  - {match: [], directResponse: {status: 200}}
  - {directResponse: {status: 200}}
";
        let hosts = [HostPattern::parse("b.example.com")];
        let guarded = by_https(on_hosts(resources(&[text]).remove(0), &hosts));
        let Spec::VirtualService(service) = &guarded.spec else { panic!("{guarded:?}") };
        assert_eq!(service.hosts, hosts);
        let asked = service.http.iter().flat_map(|rule| &rule.matches).map(|entry| entry.headers.len());
        assert_eq!(asked.collect::<Vec<_>>(), [2, 1, 1, 1, 1, 1]);
        let config = Config { resources: vec![guarded.clone()], ..Config::default() };
        let config: serde_json::Value = serde_json::from_str(&config.to_json().to_string()).unwrap();
        let written = parse_json(config["resources"][0].to_string().as_bytes(), "default");
        assert_eq!(written.problems, []);
        assert_eq!(written.resources[0].spec, guarded.spec);
    }
}
