//! What a rule wants of a token that it refuses.

use outrigger_api::types::request_authentication::{JwtRule, KeySource};
use outrigger_core::jwt::{CLOCK_SKEW, Failure};
use serde_json::Value;

/// What would pass; `None` where the failure says it itself.
pub(super) fn by(rule: &JwtRule, failure: &Failure) -> Option<String> {
    match failure {
        Failure::JwtUnknownIssuer => Some(format!("`iss` must be `{}`", rule.issuer)),
        Failure::JwtExpired => Some(format!("`exp` may be {CLOCK_SKEW} s past at most")),
        Failure::JwtNotYetValid => Some(format!("`nbf` may be {CLOCK_SKEW} s ahead at most")),
        Failure::JwtAudienceNotAllowed => Some(format!("`aud` must have one of {}", quoted(&rule.audiences))),
        Failure::JwksKidAlgMismatch => {
            Some(format!("`kid` and `alg` must be a key's: {}", keys(&rule.keys)?))
        }
        Failure::JwtVerificationFail => Some(format!(
            "the key that `kid` names, else any, must have signed it under its own algorithm, without `crit` and \
             `b64`: {}",
            keys(&rule.keys)?
        )),
        Failure::JwtEd25519SignatureWrongLength => {
            Some(format!("a `kid` of another key: {}", keys(&rule.keys)?))
        }
        Failure::JwksFetchFail => match &rule.keys {
            KeySource::Uri(uri) => {
                Some(format!("its keys are at {uri}; fetch and give them: --jwks '{}=FILE'", rule.issuer))
            }
            _ => Some(format!(
                "its keys are found by discovery; fetch and give them: --jwks '{}=FILE'",
                rule.issuer
            )),
        },
        _ => None,
    }
}

fn quoted(list: &[String]) -> String {
    list.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", ")
}

/// The keys of a set, in a line.
fn keys(source: &KeySource) -> Option<String> {
    let KeySource::Inline(jwks) = source else { return None };
    let set: Value = serde_json::from_str(jwks).ok()?;
    let text = |key: &Value, member: &str| key.get(member).and_then(Value::as_str).map(str::to_owned);
    let describe = |key: &Value| {
        let name = text(key, "kid").map_or("one without `kid`".to_owned(), |kid| format!("`{kid}`"));
        let kind = text(key, "crv").or_else(|| text(key, "kty")).unwrap_or_default();
        let alg = text(key, "alg").map(|alg| format!(", {alg} only")).unwrap_or_default();
        format!("{name} ({kind}{alg})")
    };
    Some(set.get("keys")?.as_array()?.iter().map(describe).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(keys: KeySource) -> JwtRule {
        JwtRule {
            issuer: "i".to_owned(),
            audiences: vec!["a".to_owned(), "b".to_owned()],
            keys,
            from_headers: Vec::new(),
            from_params: Vec::new(),
            from_cookies: Vec::new(),
            output_payload_to_header: None,
            output_claim_to_headers: Vec::new(),
            forward_original_token: false,
            timeout: None,
            space_delimited_claims: Vec::new(),
        }
    }

    #[test]
    fn each_failure_says_what_would_pass() {
        let set = r#"{"keys":[{"kid":"k","kty":"EC","crv":"P-256","alg":"ES256"},{"kty":"RSA"}]}"#;
        let inline = rule(KeySource::Inline(set.to_owned()));
        let keys = "`k` (P-256, ES256 only), one without `kid` (RSA)";
        for (failure, expected) in [
            (Failure::JwtUnknownIssuer, "`iss` must be `i`".to_owned()),
            (Failure::JwtExpired, "`exp` may be 60 s past at most".to_owned()),
            (Failure::JwtNotYetValid, "`nbf` may be 60 s ahead at most".to_owned()),
            (Failure::JwtAudienceNotAllowed, "`aud` must have one of `a`, `b`".to_owned()),
            (Failure::JwksKidAlgMismatch, format!("`kid` and `alg` must be a key's: {keys}")),
            (Failure::JwtEd25519SignatureWrongLength, format!("a `kid` of another key: {keys}")),
        ] {
            assert_eq!(by(&inline, &failure), Some(expected), "{failure:?}");
        }
        assert!(by(&inline, &Failure::JwtVerificationFail).unwrap().ends_with(keys));
        assert_eq!(by(&inline, &Failure::JwtBadFormat), None);
        let fetched = rule(KeySource::Uri("https://i/keys".to_owned()));
        assert_eq!(
            by(&fetched, &Failure::JwksFetchFail).as_deref(),
            Some("its keys are at https://i/keys; fetch and give them: --jwks 'i=FILE'")
        );
    }
}
