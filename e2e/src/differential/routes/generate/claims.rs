//! Tokens, and rules on their claims.

use std::sync::OnceLock;

use serde_json::{Map, Value, json};

use super::super::random::Random;
use crate::scenario::Token;
use crate::tokens::mint;

/// Who the tokens are from.
pub(in super::super) const ISSUER: &str = "differential.test";
/// By what they are verified.
pub(in super::super) const KEYS: &str = include_str!("../../../../keys/jwks.json");

/// The RequestAuthentication of the gateway.
pub(super) fn authentication() -> Value {
    json!({
        "apiVersion": "security.istio.io/v1", "kind": "RequestAuthentication",
        "metadata": {"name": "shared", "namespace": "default"},
        "spec": {
            "selector": {"matchLabels": {"istio": "ingressgateway"}},
            "jwtRules": [{"issuer": ISSUER, "jwks": KEYS, "forwardOriginalToken": true}],
        },
    })
}

/// Tokens with different claims; the last one is not signed by any key.
pub(in super::super) fn tokens() -> &'static [String] {
    static TOKENS: OnceLock<Vec<String>> = OnceLock::new();
    TOKENS.get_or_init(|| {
        let claims = [
            json!({"group": "admin", "nested": {"id": "v1"}, "roles": ["user", "admin"], "scope": "read write"}),
            json!({"group": "user", "nested": {"id": "v2", "deep": {"id": "v1"}}, "roles": ["user"], "a.b": "v1"}),
            json!({"group": ["adm", "user"], "nested": ["v1"], "scope": "write", "roles": "admin", "a": {"b": "v1"}}),
            json!({"group": 7, "nested": {"id": true}, "roles": []}),
        ];
        let mut tokens: Vec<String> = claims.into_iter().filter_map(token).collect();
        if let Some(first) = tokens.first() {
            tokens.push(format!("{first}AA"));
        }
        tokens
    })
}

fn token(claims: Value) -> Option<String> {
    let mut claims = claims.as_object().cloned().unwrap_or_default();
    claims.insert("iss".to_owned(), ISSUER.into());
    claims.insert("sub".to_owned(), "someone".into());
    let claims = serde_json::from_value(claims.into()).ok()?;
    mint(&Token { alg: "RS256".to_owned(), claims, expires_in: None }).ok()
}

/// Adds a condition on a claim to `headers`.
pub(super) fn add(random: &mut Random, headers: &mut Map<String, Value>) {
    let names = [
        "@request.auth.claims.group",
        "@request.auth.claims[group]",
        "@request.auth.claims.nested.id",
        "@request.auth.claims[nested][id]",
        "@request.auth.claims[nested][deep][id]",
        "@request.auth.claims[a.b]",
        "@request.auth.claims.a.b",
        "@request.auth.claims.roles",
        "@request.auth.claims.scope",
        "@request.auth.claims.missing",
        "@Request.Auth.Claims[group]",
    ];
    let values = [
        json!({"exact": "admin"}),
        json!({"exact": "user"}),
        json!({"exact": "v1"}),
        json!({"exact": "write"}),
        json!({"prefix": "ad"}),
        json!({"regex": "v[0-9]"}),
        json!({"regex": ".*"}),
    ];
    headers.insert(random.pick(&names).to_owned(), random.one(&values).clone());
}
