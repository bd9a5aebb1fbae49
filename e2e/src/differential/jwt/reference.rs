//! The same configurations as Envoy's own filter, written the way istiod writes it (`convertToEnvoyJwtConfig` of
//! `pilot/pkg/security/authn/policy_applier.go`, and `GetJwtPoliciesForWorkload` of `pilot/pkg/model`).
//!
//! This shares nothing with the product: it reads the resources as they are written, and refuses every field that it does
//! not translate.

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::super::configuration::Configuration;
use super::super::fields::{items, only, pairs, text};
use super::generate::{LABELS, NAMESPACE, ROOT_NAMESPACE};

/// The filter for the rules of `configuration`; `None` if none applies to the gateway.
///
/// # Errors
/// A field that is not translated.
pub(in crate::differential) fn filter(configuration: &Configuration) -> Result<Option<Value>> {
    let rules = rules(configuration)?;
    if rules.is_empty() {
        return Ok(None);
    }
    let mut providers = Map::new();
    let (mut each, mut any) = (Vec::new(), Vec::new());
    for (index, rule) in rules.into_iter().enumerate() {
        let name = format!("origins-{index}");
        let named = json!({"provider_name": name});
        each.push(json!({"requires_any": {"requirements": [named, {"allow_missing": {}}]}}));
        any.push(named);
        providers.insert(name, provider(rule)?);
    }
    let requires = match each.as_slice() {
        [only] => only.clone(),
        _ => {
            any.push(json!({"requires_all": {"requirements": each}}));
            json!({"requires_any": {"requirements": any}})
        }
    };
    Ok(Some(json!({
        "name": "envoy.filters.http.jwt_authn",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
            "providers": providers,
            "rules": [{"match": {"prefix": "/"}, "requires": requires}],
            "bypass_cors_preflight": true,
        },
    })))
}

/// The rules for the gateway: those of the root namespace first, older policies before younger ones, and all of them
/// then sorted by issuer.
pub(super) fn rules(configuration: &Configuration) -> Result<Vec<&Value>> {
    let mut policies = Vec::new();
    for policy in configuration.kind("RequestAuthentication") {
        only(&policy["spec"], &["selector", "jwtRules"])?;
        if applies(policy)? {
            policies.push(policy);
        }
    }
    policies.sort_by_key(|policy| {
        let meta = &policy["metadata"];
        let (name, namespace) = (text(meta, "name"), text(meta, "namespace"));
        (namespace != ROOT_NAMESPACE, text(meta, "creationTimestamp"), format!("{name}.{namespace}"))
    });
    let mut rules: Vec<&Value> =
        policies.into_iter().flat_map(|policy| items(&policy["spec"], "jwtRules")).collect();
    rules.sort_by_key(|rule| text(rule, "issuer"));
    Ok(rules)
}

/// Whether `policy` is for the gateway, and more than tried out.
fn applies(policy: &Value) -> Result<bool> {
    let meta = &policy["metadata"];
    only(meta, &["name", "namespace", "creationTimestamp", "annotations"])?;
    if let Some(annotations) = meta.get("annotations") {
        only(annotations, &["outrigger.io/dry-run"])?;
        if text(annotations, "outrigger.io/dry-run") == "true" {
            return Ok(false);
        }
    }
    if ![NAMESPACE, ROOT_NAMESPACE].contains(&text(&policy["metadata"], "namespace")) {
        return Ok(false);
    }
    let Some(selector) = policy["spec"].get("selector") else { return Ok(true) };
    only(selector, &["matchLabels"])?;
    let mut wanted = pairs(selector, "matchLabels").into_iter();
    Ok(wanted.all(|(name, value)| LABELS.iter().any(|(known, has)| name == known && value == has)))
}

/// `envoy.extensions.filters.http.jwt_authn.v3.JwtProvider`
fn provider(rule: &Value) -> Result<Value> {
    only(
        rule,
        &[
            "issuer",
            "audiences",
            "jwks",
            "fromHeaders",
            "fromParams",
            "fromCookies",
            "outputPayloadToHeader",
            "outputClaimToHeaders",
            "forwardOriginalToken",
            "spaceDelimitedClaims",
        ],
    )?;
    let mut spaced = vec![json!("scope"), json!("permission")];
    spaced.extend_from_slice(items(rule, "spaceDelimitedClaims"));
    let mut provider = json!({
        "issuer": rule["issuer"],
        "local_jwks": {"inline_string": rule["jwks"]},
        "payload_in_metadata": "payload",
        "normalize_payload_in_metadata": {"space_delimited_claims": spaced},
        "clear_route_cache": true,
    });
    let renamed = [
        ("audiences", "audiences"),
        ("fromParams", "from_params"),
        ("fromCookies", "from_cookies"),
        ("outputPayloadToHeader", "forward_payload_header"),
        ("forwardOriginalToken", "forward"),
    ];
    for (field, native) in renamed {
        if let Some(value) = rule.get(field) {
            provider[native] = value.clone();
        }
    }
    let mut headers = Vec::new();
    for header in items(rule, "fromHeaders") {
        only(header, &["name", "prefix"])?;
        headers.push(json!({"name": header["name"], "value_prefix": text(header, "prefix")}));
    }
    provider["from_headers"] = headers.into();
    let mut claims = Vec::new();
    for claim in items(rule, "outputClaimToHeaders") {
        only(claim, &["header", "claim"])?;
        claims.push(json!({"header_name": claim["header"], "claim_name": claim["claim"]}));
    }
    provider["claim_to_headers"] = claims.into();
    Ok(provider)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(name: &str, namespace: &str, selector: Value, issuers: &[&str]) -> Value {
        let rules: Vec<_> = issuers.iter().map(|issuer| json!({"issuer": issuer, "jwks": name})).collect();
        json!({
            "kind": "RequestAuthentication", "metadata": {"name": name, "namespace": namespace},
            "spec": {"selector": selector, "jwtRules": rules},
        })
    }

    fn configuration(resources: Vec<Value>) -> Configuration {
        Configuration { tag: String::new(), resources }
    }

    #[test]
    fn rules_stand_in_istiods_order() {
        let every = json!({});
        let configuration = configuration(vec![
            policy("near", NAMESPACE, every.clone(), &["b", "a"]),
            policy("root", ROOT_NAMESPACE, every.clone(), &["b"]),
            policy("elsewhere", "other", every, &["a"]),
            policy("labelled", NAMESPACE, json!({"matchLabels": {"istio": "ingressgateway"}}), &["a"]),
            policy("unlabelled", NAMESPACE, json!({"matchLabels": {"istio": "x"}}), &["a"]),
        ]);
        let rules = rules(&configuration).unwrap();
        let order: Vec<_> = rules.iter().map(|rule| (text(rule, "issuer"), text(rule, "jwks"))).collect();
        assert_eq!(order, [("a", "labelled"), ("a", "near"), ("b", "root"), ("b", "near")]);
    }

    #[test]
    fn one_rule_or_nothing_and_of_several_any_or_else_all() {
        let one = filter(&configuration(vec![policy("p", NAMESPACE, json!({}), &["a"])])).unwrap().unwrap();
        let requires = |filter: &Value| filter["typed_config"]["rules"][0]["requires"].clone();
        assert_eq!(
            requires(&one),
            json!({"requires_any": {"requirements": [{"provider_name": "origins-0"}, {"allow_missing": {}}]}})
        );
        let two =
            filter(&configuration(vec![policy("p", NAMESPACE, json!({}), &["a", "b"])])).unwrap().unwrap();
        let list = requires(&two)["requires_any"]["requirements"].clone();
        assert_eq!(list.as_array().unwrap().len(), 3);
        assert_eq!(list[2]["requires_all"]["requirements"].as_array().unwrap().len(), 2);
        assert!(filter(&configuration(vec![])).unwrap().is_none());
        let unknown = configuration(vec![json!({
            "kind": "RequestAuthentication", "metadata": {"namespace": NAMESPACE},
            "spec": {"jwtRules": [{"issuer": "a", "timeout": "5s"}]},
        })]);
        assert!(filter(&unknown).unwrap_err().to_string().contains("timeout"));
    }
}
