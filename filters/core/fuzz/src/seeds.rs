//! Good tokens, one for each algorithm, with the keys of the engine's tests.

use serde_json::{Map, Value, json};

use super::mint;

/// A token that must pass.
pub(crate) struct Seed {
    /// Its text.
    pub(crate) token: String,
    /// What it says. No two seeds say the same.
    pub(crate) claims: Map<String, Value>,
}

const SIGNED_HERE: [&str; 10] =
    ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "EdDSA", "HS256", "HS384", "HS512"];

/// Made by OpenSSL, since PSS signatures are random.
const SIGNED_ELSEWHERE: [&str; 3] = [
    include_str!("../../src/jwt/tests/keys/ps256.jwt"),
    include_str!("../../src/jwt/tests/keys/ps384.jwt"),
    include_str!("../../src/jwt/tests/keys/ps512.jwt"),
];

/// All of them.
pub(crate) fn all() -> Vec<Seed> {
    let here = SIGNED_HERE.iter().map(|algorithm| {
        let claims = json!({"iss": "i", "sub": algorithm, "aud": ["a", "b"], "exp": 4_102_444_800_u64, "n": {"l": [1.5, null]}});
        mint::signed(algorithm, &json!({"alg": algorithm}).to_string(), &claims.to_string())
    });
    let elsewhere = SIGNED_ELSEWHERE.iter().map(|token| token.trim().to_owned());
    here.chain(elsewhere).map(|token| Seed { claims: claims(&token), token }).collect()
}

fn claims(token: &str) -> Map<String, Value> {
    let parts = decoded(token);
    serde_json::from_slice(&parts[1]).expect("a seed's payload is JSON")
}

/// Header, payload and signature of a good token.
pub(crate) fn decoded(token: &str) -> Vec<Vec<u8>> {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).expect("a seed is base64url")).collect()
}
