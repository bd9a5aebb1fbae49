//! One rule as one policy of Envoy's (`pilot/pkg/security/authz/model`): what it says of the sender is a principal, all else
//! a permission, and each alternative of `from` and `to` has the conditions of `when` too.

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::fields::{items, only, text};
use super::logic::Half;
use super::trust_domains::TrustDomains;
use super::{operation, source, token};

/// What a rule's translation depends on besides the rule.
pub(super) struct Setting<'s> {
    /// The policy's namespace.
    pub(super) namespace: &'s str,
    pub(super) trust_domains: &'s TrustDomains,
}

/// `envoy.config.rbac.v3.Policy`
///
/// # Errors
/// A field that is not translated.
pub(super) fn policy(rule: &Value, setting: &Setting<'_>) -> Result<Value> {
    only(rule, &["from", "to", "when"])?;
    let (mut permissions, mut principals) = (Vec::new(), Vec::new());
    for condition in items(rule, "when") {
        only(condition, &["key", "values", "notValues"])?;
        let key = text(condition, "key");
        let lists = [texts(condition, "values")?, texts(condition, "notValues")?];
        match half(key) {
            Half::Permissions => permissions.extend(conditions(key, lists, setting)?),
            Half::Principals => principals.extend(conditions(key, lists, setting)?),
        }
    }
    let operations = alternatives(rule, "to", "operation", OPERATION, setting)?;
    let sources = alternatives(rule, "from", "source", SOURCE, setting)?;
    Ok(json!({
        "permissions": joined(Half::Permissions, operations, &permissions),
        "principals": joined(Half::Principals, sources, &principals),
    }))
}

/// Each alternative with what holds for all of them.
fn joined(half: Half, alternatives: Vec<Vec<Value>>, all: &[Value]) -> Vec<Value> {
    let alternatives = if alternatives.is_empty() { vec![Vec::new()] } else { alternatives };
    alternatives.into_iter().map(|one| half.and([one.as_slice(), all].concat())).collect()
}

/// Fields of a source, and the keys of `when` that they are short for.
const SOURCE: &[(&str, &str, &str)] = &[
    ("principals", "notPrincipals", "source.principal"),
    ("requestPrincipals", "notRequestPrincipals", "request.auth.principal"),
    ("namespaces", "notNamespaces", "source.namespace"),
    ("serviceAccounts", "notServiceAccounts", "source.serviceAccount"),
    ("trustDomains", "notTrustDomains", "source.trustDomain"),
    ("ipBlocks", "notIpBlocks", "source.ip"),
    ("remoteIpBlocks", "notRemoteIpBlocks", "remote.ip"),
];

/// Likewise of an operation; three of them have no such key.
const OPERATION: &[(&str, &str, &str)] = &[
    ("hosts", "notHosts", "hosts"),
    ("methods", "notMethods", "methods"),
    ("paths", "notPaths", "paths"),
    ("ports", "notPorts", "destination.port"),
];

fn alternatives(
    rule: &Value,
    list: &str,
    inner: &str,
    fields: &[(&str, &str, &str)],
    setting: &Setting<'_>,
) -> Result<Vec<Vec<Value>>> {
    let known: Vec<&str> = fields.iter().flat_map(|(field, negated, _)| [*field, *negated]).collect();
    let one = |entry: &Value| -> Result<Vec<Value>> {
        only(entry, &[inner])?;
        only(&entry[inner], &known)?;
        let mut all = Vec::new();
        for (field, negated, key) in fields {
            let lists = [texts(&entry[inner], field)?, texts(&entry[inner], negated)?];
            all.extend(conditions(key, lists, setting)?);
        }
        Ok(all)
    };
    items(rule, list).iter().map(one).collect()
}

fn half(key: &str) -> Half {
    match key {
        "destination.ip" | "destination.port" | "connection.sni" | "hosts" | "methods" | "paths" => {
            Half::Permissions
        }
        _ => Half::Principals,
    }
}

/// One of the values, and none of the others: a condition for each list that is not empty.
fn conditions(
    key: &str,
    [values, not_values]: [Vec<String>; 2],
    setting: &Setting<'_>,
) -> Result<Vec<Value>> {
    let half = half(key);
    let mut all = Vec::new();
    if !values.is_empty() {
        all.push(one_of(key, values, setting)?);
    }
    if !not_values.is_empty() {
        all.push(half.not(one_of(key, not_values, setting)?));
    }
    Ok(all)
}

fn one_of(key: &str, values: Vec<String>, setting: &Setting<'_>) -> Result<Value> {
    let values = match key {
        "source.principal" => setting.trust_domains.of_principals(values),
        "source.trustDomain" => setting.trust_domains.of_domains(values),
        _ => values,
    };
    let of_claim = |name: &str| Ok(token::text_claim(&[name.to_owned()], &values));
    match key {
        "request.auth.principal" => return Ok(token::principal(&values)),
        "request.auth.audiences" => return of_claim("aud"),
        "request.auth.presenter" => return of_claim("azp"),
        _ => {}
    }
    if let Some(brackets) = key.strip_prefix("request.auth.claims") {
        return Ok(token::text_claim(&token::claim_path(brackets), &values));
    }
    let each: Result<Vec<Value>> = values.iter().map(|value| condition(key, value, setting)).collect();
    Ok(half(key).or(each?))
}

fn condition(key: &str, value: &str, setting: &Setting<'_>) -> Result<Value> {
    Ok(match key {
        "source.principal" => source::principal(value),
        "source.namespace" => source::namespace(value),
        "source.serviceAccount" => source::service_account(value, setting.namespace),
        "source.trustDomain" => source::trust_domain(value),
        "source.ip" => source::ip(value)?,
        "remote.ip" => source::remote_ip(value)?,
        "hosts" => operation::host(value),
        "methods" => operation::method(value),
        "paths" => operation::path(value),
        "destination.port" => operation::port(value)?,
        "destination.ip" => operation::destination_ip(value)?,
        "connection.sni" => operation::server_name(value),
        _ => match key.strip_prefix("request.headers[").and_then(|rest| rest.strip_suffix(']')) {
            Some(name) => source::request_header(name, value),
            None => bail!("`{key}` is not translated"),
        },
    })
}

/// A list of texts; empty if it is not there.
fn texts(object: &Value, field: &str) -> Result<Vec<String>> {
    items(object, field).iter().map(|item| Ok(item.as_str().context("a text")?.to_owned())).collect()
}
