//! Tokens that every RequestAuthentication of the run takes: by one shared secret, since who signs is not what is tried.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use serde_json::{Value, json};

const SECRET: &[u8] = b"thirty-two bytes are long enough";

/// The key, as a JWK set.
pub(super) fn key_set() -> Value {
    json!({"keys": [{"kty": "oct", "alg": "HS256", "k": URL_SAFE_NO_PAD.encode(SECRET)}]})
}

/// A token with these claims.
pub(super) fn signed(claims: &Value) -> String {
    let header = json!({"alg": "HS256"}).to_string();
    let message =
        format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims.to_string()));
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET), message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
}
