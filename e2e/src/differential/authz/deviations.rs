//! The deviations that are meant (the table in `filters/core/src/authz/mod.rs`), each recognised by what causes it.

use serde_json::Value;

use super::configuration::Configuration;
use super::fields::{items, text};
use super::peers;
use super::request::Request;

const MAPPED: &str = "an IPv4 address in its IPv6 form";
const SEVERAL_URIS: &str = "a certificate with several URIs";

/// How such an address begins.
const MAPPED_PREFIX: &str = "::ffff:";

/// Why two answers to `request` may differ.
pub(super) fn names(configuration: &Configuration, request: &Request) -> Option<Vec<&'static str>> {
    let by_address = |field: &str| {
        ["ipBlocks", "notIpBlocks", "source.ip", "destination.ip"].contains(&field)
            || by_remote_address(field)
    };
    let mut names = Vec::new();
    let has_mapped = |value: &str| value.to_ascii_lowercase().contains(MAPPED_PREFIX);
    let is_forwarded_mapped = request.headers.iter().any(|(name, value)| {
        name.eq_ignore_ascii_case("x-forwarded-for") && has_mapped(&String::from_utf8_lossy(value))
    });
    if asks(configuration, |field, value| by_address(field) && has_mapped(value))
        || (is_forwarded_mapped && asks(configuration, |field, _| by_remote_address(field)))
    {
        names.push(MAPPED);
    }
    let peer = request.wire.tls.as_ref().and_then(|tls| tls.peer);
    let identity = peers::IDENTITIES.iter().find(|identity| Some(identity.name) == peer);
    if identity.is_some_and(|identity| identity.uris.len() > 1)
        && asks(configuration, |field, _| by_name(field))
    {
        names.push(SEVERAL_URIS);
    }
    Some(names).filter(|names| !names.is_empty())
}

fn by_remote_address(field: &str) -> bool {
    ["remoteIpBlocks", "notRemoteIpBlocks", "remote.ip"].contains(&field)
}

fn by_name(field: &str) -> bool {
    let fields = ["principals", "namespaces", "serviceaccounts", "trustdomains"];
    let conditions = ["source.principal", "source.namespace", "source.serviceAccount", "source.trustDomain"];
    let field_ = field.to_ascii_lowercase();
    fields.contains(&field_.trim_start_matches("not")) || conditions.contains(&field)
}

/// Whether some rule has a field, or a key of `when`, with such a value.
fn asks(configuration: &Configuration, is: impl Fn(&str, &str) -> bool) -> bool {
    let has = |field: &str, list: &Value| {
        list.as_array()
            .is_some_and(|list| list.iter().filter_map(Value::as_str).any(|value| is(field, value)))
    };
    let policies = configuration.kind("AuthorizationPolicy");
    policies.flat_map(|policy| items(&policy["spec"], "rules")).any(|rule| {
        let of_sources = items(rule, "from").iter().any(|entry| {
            entry["source"].as_object().into_iter().flatten().any(|(field, list)| has(field, list))
        });
        let of_conditions = items(rule, "when").iter().any(|condition| {
            ["values", "notValues"].iter().any(|list| has(text(condition, "key"), &condition[*list]))
        });
        of_sources || of_conditions
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::wire::{Tls, Wire};
    use super::*;

    fn configuration(rule: Value) -> Configuration {
        let resources = vec![json!({"kind": "AuthorizationPolicy", "spec": {"rules": [rule]}})];
        Configuration { tag: String::new(), resources }
    }

    fn request(forwarded: &str, peer: &'static str) -> Request {
        Request {
            port: 8080,
            method: "GET".to_owned(),
            target: b"/".to_vec(),
            host: b"a".to_vec(),
            headers: vec![("X-Forwarded-For".to_owned(), forwarded.into())],
            wire: Wire { tls: Some(Tls { server_name: None, peer: Some(peer) }), ..Wire::default() },
        }
    }

    #[test]
    fn each_is_told_by_its_cause() {
        let source = |field: &str, value: &str| json!({"from": [{"source": {field: [value]}}]});
        let when = |key: &str, value: &str| json!({"when": [{"key": key, "notValues": [value]}]});
        let mapped = "::ffff:10.0.0.1";
        for (rule, forwarded, peer, expected) in [
            (source("ipBlocks", mapped), "", "cart", Some(MAPPED)),
            (when("destination.ip", mapped), "", "cart", Some(MAPPED)),
            (when("request.headers[x]", mapped), "", "cart", None),
            (source("notRemoteIpBlocks", "10.0.0.1"), "1.2.3.4, ::ffff:10.0.0.1", "cart", Some(MAPPED)),
            (source("remoteIpBlocks", "10.0.0.1"), "::FFFF:10.0.0.1", "cart", Some(MAPPED)),
            (source("notIpBlocks", "10.0.0.1"), mapped, "cart", None),
            (source("notRemoteIpBlocks", "10.0.0.1"), "10.0.0.1", "cart", None),
            (source("notPrincipals", "x"), "", "two", Some(SEVERAL_URIS)),
            (source("serviceAccounts", "x"), "", "two", Some(SEVERAL_URIS)),
            (when("source.trustDomain", "x"), "", "two", Some(SEVERAL_URIS)),
            (when("source.trustDomain", "x"), "", "cart", None),
            (source("requestPrincipals", "x"), "", "two", None),
        ] {
            let found = names(&configuration(rule.clone()), &request(forwarded, peer));
            assert_eq!(found, expected.map(|name| vec![name]), "{rule} {forwarded} {peer}");
        }
    }
}
