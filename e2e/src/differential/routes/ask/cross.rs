//! What a request brings besides what its rule matches: an origin, a token.

use serde_json::Value;

use super::super::configuration::Configuration;
use super::super::generate::tokens;
use super::super::random::Random;
use super::super::request::Request;

/// An origin, and at times a preflight, for a rule with a cross-origin policy.
pub(super) fn origin(random: &mut Random, request: &mut Request, rule: &Value) {
    if !random.chance(if rule.get("corsPolicy").is_some() { 85 } else { 2 }) {
        return;
    }
    let origins =
        ["https://one.test", "https://two.example", "https://three.test", "http://one.test", "null", ""];
    request.headers.push(("Origin".to_owned(), random.pick(&origins).into()));
    if random.chance(50) {
        if random.chance(85) {
            request.method = "OPTIONS".to_owned();
        }
        if random.chance(85) {
            let method = random.pick(&["GET", "PUT", ""]);
            request.headers.push(("access-control-request-method".to_owned(), method.into()));
        }
        if random.chance(40) {
            request.headers.push(("access-control-request-headers".to_owned(), "x-a,x-z".into()));
        }
    }
}

/// A token, if some rule asks for one.
pub(super) fn token(random: &mut Random, request: &mut Request, configuration: &Configuration) {
    let asked = configuration.kind("VirtualService").any(|service| {
        let text = service["spec"]["http"].to_string();
        text.contains("@request.auth") || text.contains("@Request.Auth")
    });
    if asked && random.chance(75) {
        let token = random.one(tokens());
        request.headers.push(("authorization".to_owned(), format!("Bearer {token}").into_bytes()));
    }
}
