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
    let jwks = r#"{"keys": [{"kty": "RSA", "x5c": ["MIID"]}]}"#;
    let rule = JwtRule { keys: KeySource::Inline(jwks.to_owned()), ..rule("i") };
    assert_eq!(
        told(vec![rule]),
        [
            "error: Jwks doesn't have any valid public key (spec.jwtRules[0].jwks)",
            "warning: `keys[0]` of the key set: [n] field is missing for a RSA key (spec.jwtRules[0].jwks)",
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

#[test]
fn short_secrets_are_taken_with_a_warning() {
    for (alg, bytes, warning) in [
        ("", 31, Some("a secret of 31 bytes is easier to guess than a signature: HS256 wants at least 32")),
        ("", 32, None),
        (
            "HS384",
            47,
            Some("a secret of 47 bytes is easier to guess than a signature: HS384 wants at least 48"),
        ),
        (
            "HS512",
            63,
            Some("a secret of 63 bytes is easier to guess than a signature: HS512 wants at least 64"),
        ),
        ("HS512", 64, None),
    ] {
        use base64::Engine as _;
        let k = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(vec![7; bytes]);
        let jwks = format!(r#"{{"keys": [{{"kty": "oct", "alg": "{alg}", "k": "{k}"}}]}}"#);
        let told = told(vec![JwtRule { keys: KeySource::Inline(jwks), ..rule("i") }]);
        let expected = warning.map(|text| {
            format!(
                "warning: `keys[0]` of the key set: {text} (RFC 7518 section 3.2) (spec.jwtRules[0].jwks)"
            )
        });
        assert_eq!(told, Vec::from_iter(expected), "{alg} {bytes}");
    }
}
