//! Conditions on who sends a request, as principals.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::text::{SPIFFE, header, quoted, regex, string};

/// The peer, by the names in its certificate.
fn authenticated(name: Value) -> Value {
    json!({"authenticated": {"principal_name": name}})
}

/// `source.principal`
pub(super) fn principal(value: &str) -> Value {
    authenticated(string(value, SPIFFE))
}

/// `source.namespace`: a star stands for anything.
pub(super) fn namespace(value: &str) -> Value {
    let name = value.split('*').map(quoted).collect::<Vec<_>>().join(".*");
    authenticated(regex(&format!(".*/ns/{name}/.*")))
}

/// `source.serviceAccount`: `account` or `namespace/account`, by default of the policy's own namespace.
pub(super) fn service_account(value: &str, own: &str) -> Value {
    let (namespace, account) = value.split_once('/').unwrap_or((own, value));
    let (namespace, account) = (quoted(namespace), quoted(account));
    authenticated(regex(&format!("spiffe://.+/ns/{namespace}/(.+/|)sa/{account}(/.+)?")))
}

/// `source.trustDomain`
pub(super) fn trust_domain(value: &str) -> Value {
    authenticated(match value.split_once('*') {
        _ if value == "*" => json!({"prefix": SPIFFE}),
        None => json!({"prefix": format!("{SPIFFE}{value}/")}),
        Some((start, end)) => regex(&format!("{SPIFFE}{}[^/]*{}/.*", quoted(start), quoted(end))),
    })
}

/// `source.ip`: the peer's own address.
///
/// # Errors
/// No address.
pub(super) fn ip(value: &str) -> Result<Value> {
    Ok(json!({"direct_remote_ip": range(value)?}))
}

/// `remote.ip`: the client's address, after `x-forwarded-for`.
///
/// # Errors
/// No address.
pub(super) fn remote_ip(value: &str) -> Result<Value> {
    Ok(json!({"remote_ip": range(value)?}))
}

/// `request.headers[name]`
pub(super) fn request_header(name: &str, value: &str) -> Value {
    json!({"header": header(name, value, false)})
}

/// `envoy.config.core.v3.CidrRange`
///
/// # Errors
/// No address.
pub(super) fn range(value: &str) -> Result<Value> {
    let (address, length) = match value.split_once('/') {
        Some((address, length)) => (address, length.parse()?),
        None => (value, if value.contains(':') { 128 } else { 32 }),
    };
    let address: std::net::IpAddr = address.parse().context("an address")?;
    let length: u32 = length;
    Ok(json!({"address_prefix": address.to_string(), "prefix_len": length}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_are_known_by_regular_expressions_over_the_whole_name() {
        let pattern = |matcher: Value| {
            matcher["authenticated"]["principal_name"]["safe_regex"]["regex"].as_str().unwrap().to_owned()
        };
        assert_eq!(pattern(namespace("a.b*c")), r".*/ns/a\.b.*c/.*");
        assert_eq!(pattern(service_account("web", "shop")), "spiffe://.+/ns/shop/(.+/|)sa/web(/.+)?");
        assert_eq!(pattern(service_account("x/web", "shop")), "spiffe://.+/ns/x/(.+/|)sa/web(/.+)?");
        assert_eq!(pattern(trust_domain("*.test")), r"spiffe://[^/]*\.test/.*");
        assert_eq!(pattern(principal("*/sa/web")), "spiffe://.*/sa/web");
        let name = |matcher: Value| matcher["authenticated"]["principal_name"].clone();
        assert_eq!(name(trust_domain("td")), json!({"prefix": "spiffe://td/"}));
        assert_eq!(name(trust_domain("*")), json!({"prefix": "spiffe://"}));
    }

    #[test]
    fn an_address_alone_is_a_range_of_one() {
        assert_eq!(range("10.0.0.1").unwrap(), json!({"address_prefix": "10.0.0.1", "prefix_len": 32}));
        assert_eq!(range("fd00::/8").unwrap(), json!({"address_prefix": "fd00::", "prefix_len": 8}));
        assert_eq!(range("::1").unwrap(), json!({"address_prefix": "::1", "prefix_len": 128}));
        assert!(range("x").is_err());
    }
}
