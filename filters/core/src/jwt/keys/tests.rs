use super::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const X: &str = "kNuMtiRJtYmeLaLKVTEY36ug50ga0A3e5sc1M_lPG-M";
const Y: &str = "AI12BGH-tEEc0ikoeeuDoWOuH1a3e5-nDte2-yowtyM";

/// What is told of a set with this one key; `X` and `Y` stand for a point on P-256.
fn told(key: &str) -> Option<String> {
    let key = key.replace(":X", &format!(":\"{X}\"")).replace(":Y", &format!(":\"{Y}\""));
    match KeySet::parse(&format!(r#"{{"keys":[{key}]}}"#)) {
        Ok((keys, remarks)) => {
            assert_eq!((keys.0.len(), remarks), (1, vec![]));
            None
        }
        Err(Unusable { text, remarks }) => {
            assert_eq!((text, remarks.len()), ("Jwks doesn't have any valid public key", 1));
            Some(remarks[0].text.clone())
        }
    }
}

#[test]
fn sets() {
    for (text, expected) in [
        ("", "Jwks is an invalid JSON"),
        ("[]", "Jwks is an invalid JSON"),
        (r#"{"keys":[],"keys":[]}"#, "Jwks is an invalid JSON"),
        ("{}", "Jwks does not have [keys] field"),
        (r#"{"keys":{}}"#, "[keys] in Jwks is not an array"),
        (r#"{"keys":[]}"#, "Jwks doesn't have any valid public key"),
        (r#"{"keys":[1]}"#, "Jwks doesn't have any valid public key"),
        (r#"{"a":"-----BEGIN CERTIFICATE-----\n"}"#, CERTIFICATES),
        (r#"{"a":"-----BEGIN CERTIFICATE-----\n","b":"c"}"#, "Jwks does not have [keys] field"),
    ] {
        assert_eq!(KeySet::parse(text).map(|_| ()).map_err(|told| told.text), Err(expected), "{text}");
    }
}

#[test]
fn each_fault_of_a_key_is_told_in_envoys_words() {
    let rsa = "Jwks RSA [n] or [e] field is missing or has a parse error";
    for (key, expected) in [
        ("{}", "[kty] is missing in [keys]"),
        (r#"{"kty":1}"#, "[kty] is bad in [keys]"),
        (r#"{"kty":"rsa"}"#, "[kty] is not supported in [keys]"),
        (r#"{"kty":"RSA","alg":"ES256"}"#, "[alg] is not started with [RS] or [PS] for an RSA key"),
        (r#"{"kty":"RSA"}"#, "[n] field is missing for a RSA key"),
        (r#"{"kty":"RSA","n":1}"#, "[n] field is not string for a RSA key"),
        (r#"{"kty":"RSA","n":"AA"}"#, "[e] field is missing for a RSA key"),
        (r#"{"kty":"RSA","n":"AA","e":1}"#, "[e] field is not string for a RSA key"),
        (r#"{"kty":"RSA","n":"AA","e":"AQAB"}"#, rsa),
        (r#"{"kty":"RSA","n":"*","e":"AQAB"}"#, rsa),
        (r#"{"kty":"EC","alg":"RS256"}"#, "[alg] is not started with [ES] for an EC key"),
        (r#"{"kty":"EC","crv":1}"#, "[crv] field is not string for an EC key"),
        (r#"{"kty":"EC","crv":"P-224"}"#, "[crv] or [alg] field is not supported for an EC key"),
        (
            r#"{"kty":"EC","alg":"ES256","crv":"P-384"}"#,
            "[crv] field specified is not compatible with [alg] for an EC key",
        ),
        (r#"{"kty":"EC"}"#, "[x] field is missing for an EC key"),
        (r#"{"kty":"EC","x":1}"#, "[x] field is not string for an EC key"),
        (r#"{"kty":"EC","x":X}"#, "[y] field is missing for an EC key"),
        (r#"{"kty":"EC","x":X,"y":1}"#, "[y] field is not string for an EC key"),
        (r#"{"kty":"EC","x":"*","y":Y}"#, "Jwks EC [x] or [y] field is an invalid Base64."),
        (r#"{"kty":"EC","x":Y,"y":X}"#, "Jwks EC [x] and [y] fields have a parse error."),
        (r#"{"kty":"EC","alg":"ES384","x":X,"y":Y}"#, "Jwks EC [x] and [y] fields have a parse error."),
        (r#"{"kty":"EC","crv":"P-521","x":X,"y":Y}"#, "Jwks EC [x] and [y] fields have a parse error."),
        (
            r#"{"kty":"EC","crv":"P-521","alg":"ES384","x":X,"y":Y}"#,
            "[crv] field specified is not compatible with [alg] for an EC key",
        ),
        (r#"{"kty":"oct","alg":"RS256"}"#, "[alg] does not start with [HS] for an HMAC key"),
        (r#"{"kty":"oct","alg":"HS1"}"#, "[alg] does not start with [HS] for an HMAC key"),
        (r#"{"kty":"oct"}"#, "[k] field is missing for an HMAC key"),
        (r#"{"kty":"oct","k":1}"#, "[k] field is not string for an HMAC key"),
        (r#"{"kty":"oct","k":"*"}"#, "Jwks Oct key is an invalid Base64"),
        (r#"{"kty":"oct","k":""}"#, "Jwks Oct key is an invalid Base64"),
        (r#"{"kty":"OKP","alg":"ES256"}"#, "[alg] is not [EdDSA] for an OKP key"),
        (r#"{"kty":"OKP"}"#, "[crv] field is missing for an OKP key"),
        (r#"{"kty":"OKP","crv":1}"#, "[crv] field is not string for an OKP key"),
        (r#"{"kty":"OKP","crv":"X25519","x":X}"#, "[crv] field is not supported for an OKP key"),
        (r#"{"kty":"OKP","crv":"Ed448","x":X}"#, "[crv] field is not supported for an OKP key"),
        (r#"{"kty":"OKP","crv":"Ed25519"}"#, "[x] field is missing for an OKP key"),
        (r#"{"kty":"OKP","crv":"Ed25519","x":1}"#, "[x] field is not string for an OKP key"),
        (r#"{"kty":"OKP","crv":"Ed25519","x":"*"}"#, "Jwks OKP [x] field is an invalid Base64."),
        (r#"{"kty":"OKP","crv":"Ed25519","x":"AAAA"}"#, "Jwks OKP [x] field is wrong length."),
        (
            r#"{"kty":"OKP","crv":"Ed25519","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#,
            "Jwks OKP [x] field is no point of Ed25519, or one of small order, for which anybody can sign",
        ),
    ] {
        assert_eq!(told(key).as_deref(), Some(expected), "{key}");
    }
}

#[test]
fn the_curve_may_be_left_out() {
    for key in [
        r#"{"kty":"EC","x":X,"y":Y}"#,
        r#"{"kty":"EC","alg":"ES256","x":X,"y":Y}"#,
        r#"{"kty":"EC","crv":"P-256","x":X,"y":Y}"#,
        r#"{"kty":"EC","crv":"P-256","alg":"ES256","use":"enc","key_ops":[],"x":X,"y":Y}"#,
        r#"{"kty":"EC","crv":"P-256","kid":7,"alg":null,"x":X,"y":Y}"#,
    ] {
        assert_eq!(told(key), None, "{key}");
    }
}
