//! RequestAuthentication.

use std::slice;

use super::{cursor::Cursor, object::Object, target};
use crate::{
    check,
    json::{self, JsonError},
    node::{Node, Position, Value},
    types::request_authentication::{
        ClaimToHeader, JwtAnnotations, JwtHeader, JwtRule, KeySource, RequestAuthentication,
    },
};

/// Istio's limits.
const MOST_RULES: usize = 4096;
const LONGEST_URI: usize = 2048;
const MOST_CLAIMS: usize = 64;

pub(crate) fn decode(fields: &Object<'_>) -> Option<RequestAuthentication> {
    let jwt_rules = fields.get("jwtRules", |field| {
        let rules = field.list(rule);
        if rules.len() > MOST_RULES {
            field.error(format_args!("more than {MOST_RULES} rules"));
        }
        Some(rules)
    });
    Some(RequestAuthentication {
        target: target::target(fields),
        jwt_rules: jwt_rules.unwrap_or_default(),
        annotations: JwtAnnotations::default(),
    })
}

fn rule(rule: &Cursor<'_>) -> Option<JwtRule> {
    rule.object(|fields| {
        let issuer = fields.text("issuer").unwrap_or_default();
        let keys = keys(fields);
        if issuer.is_empty() && fields.text("jwksUri").is_none() {
            rule.error("missing `issuer`: only a rule with `jwksUri` can do without");
        }
        // A module only has to refuse; people are told of all the rest, too.
        if !cfg!(feature = "yaml") {
            keys.as_ref()?;
        }
        Some(JwtRule {
            issuer,
            audiences: fields.list("audiences", |at| at.non_empty()),
            from_headers: fields.list("fromHeaders", from_header),
            from_params: fields.list("fromParams", |at| at.non_empty()),
            from_cookies: fields.list("fromCookies", |at| at.non_empty()),
            output_payload_to_header: fields.get("outputPayloadToHeader", output_header),
            output_claim_to_headers: output_claims(fields),
            forward_original_token: fields.flag("forwardOriginalToken"),
            timeout: fields.get("timeout", |at| at.duration()),
            space_delimited_claims: fields.get("spaceDelimitedClaims", space_delimited).unwrap_or_default(),
            keys: keys?,
        })
    })
}

fn keys(fields: &Object<'_>) -> Option<KeySource> {
    fields.at_most_one(&["jwks", "jwksUri"]);
    let inline = fields.get("jwks", |field| {
        let text = field.string()?;
        if text.is_empty() { None } else { key_set(field, &text).map(|()| KeySource::Inline(text)) }
    });
    let uri = fields.get("jwksUri", |field| {
        let text = field.string()?;
        if text.is_empty() { None } else { field.checked(key_uri).map(KeySource::Uri) }
    });
    inline.or(uri).or(Some(KeySource::Discovery))
}

/// A key set is an object with a list `keys`, or a single key.
fn key_set(field: &Cursor<'_>, text: &str) -> Option<()> {
    let set = match json::parse_any(text.as_bytes()) {
        Ok(set) => set,
        Err(JsonError { message, position: Position { line, column } }) => {
            field.error(format_args!("the key set is not JSON: {message} at line {line} column {column}"));
            return None;
        }
    };
    let keys = match set.get("keys").map(|keys| &keys.value) {
        Some(Value::Sequence(keys)) => keys.as_slice(),
        None if set.get("kty").is_some() => slice::from_ref(&set),
        _ => {
            field.error("the key set has no list `keys`");
            return None;
        }
    };
    for (index, key) in keys.iter().enumerate() {
        if key.get("kty").and_then(Node::as_str).is_none() {
            field.error(format_args!("key {index} of the key set has no `kty`"));
        } else if key.get("k").is_some() {
            // Private keys with a public half are told of where the set is made into keys.
            field.warn(format_args!(
                "key {index} of the key set is a secret: whoever can read this can make tokens"
            ));
        }
    }
    Some(())
}

fn key_uri(text: &str) -> Result<(), String> {
    if text.len() > LONGEST_URI {
        return Err(format!("is longer than {LONGEST_URI} characters"));
    }
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let authority = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    let good =
        !authority.is_empty() && !text.contains(|letter: char| letter.is_ascii_control() || letter == ' ');
    if good { Ok(()) } else { Err("is not an `http://` or `https://` URI".to_owned()) }
}

fn from_header(header: &Cursor<'_>) -> Option<JwtHeader> {
    header.object(|fields| {
        let name = fields.required("name", |name| name.checked(check::headers::name));
        let prefix = fields.get("prefix", |at| at.string()).unwrap_or_default();
        Some(JwtHeader { name: name?.to_ascii_lowercase(), prefix })
    })
}

fn output_header(header: &Cursor<'_>) -> Option<String> {
    let name = header.string()?;
    if name.is_empty() {
        None
    } else {
        header.checked(check::headers::name).map(|name| name.to_ascii_lowercase())
    }
}

fn output_claims(fields: &Object<'_>) -> Vec<ClaimToHeader> {
    fields.list("outputClaimToHeaders", |entry| {
        entry.object(|fields| {
            let header = fields.required("header", |header| header.checked(check::headers::strict_name));
            let claim = fields.required("claim", |at| at.non_empty());
            Some(ClaimToHeader { header: header?.to_ascii_lowercase(), claim: claim? })
        })
    })
}

fn space_delimited(field: &Cursor<'_>) -> Option<Vec<String>> {
    let claims = field.list(|at| at.non_empty());
    if claims.len() > MOST_CLAIMS {
        field.error(format_args!("more than {MOST_CLAIMS} claims"));
    }
    Some(claims)
}
