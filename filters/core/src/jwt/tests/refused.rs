//! Rules that are refused when compiled, and rules that come with a warning.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

fn told(jwt_rules: Vec<JwtRule>) -> Vec<String> {
    let compiled = Rules::compile(&[resource("default", "jwt", jwt_rules)], &Proxy::default());
    let problems = compiled.map_or_else(|errors| errors, |rules| rules.warnings().to_vec());
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn keys_that_nobody_could_fetch() {
    let by_uri = |uri: &str| JwtRule { keys: KeySource::Uri(uri.to_owned()), ..rule("i") };
    let by_discovery = JwtRule { keys: KeySource::Discovery, ..rule("j") };
    assert_eq!(
        told(vec![rule("a"), by_uri("https://i/jwks"), by_uri("https://:1/"), by_discovery]),
        [
            "error: `https://:1/` has no host, or a port that is none (spec.jwtRules[2].jwksUri)\n  \
             hint: give the key set in `jwks`, or its address in `jwksUri`",
            "error: `j` is not an `http://` or `https://` URI (spec.jwtRules[3].issuer)\n  \
             hint: give the key set in `jwks`, or its address in `jwksUri`",
        ]
    );
}

#[test]
fn key_sets_without_a_usable_key() {
    let jwks = r#"{"keys": [{"kty": "oct", "k": "YQ"}]}"#;
    let rule = JwtRule { keys: KeySource::Inline(jwks.to_owned()), ..rule("i") };
    assert_eq!(
        told(vec![rule]),
        [
            "error: Jwks doesn't have any valid public key (spec.jwtRules[0].jwks)",
            "warning: `keys[0]` of the key set: shared secrets (HS256, HS384, HS512) are not carried out yet \
             (spec.jwtRules[0].jwks)",
        ]
    );
}

#[test]
fn private_keys_are_taken_with_a_warning() {
    let jwks = JWKS.replace(r#""kid": "p256""#, r#""kid": "p256", "d": "AA""#);
    assert_ne!(jwks, JWKS);
    let rule = JwtRule { keys: KeySource::Inline(jwks), ..rule("i") };
    assert_eq!(
        told(vec![rule]),
        [
            "warning: `keys[1]` of the key set: `d` belongs to the private key, which nobody but the issuer should \
          have (spec.jwtRules[0].jwks)"
        ]
    );
    assert_eq!(told(vec![super::rule("i")]), [""; 0]);
}
