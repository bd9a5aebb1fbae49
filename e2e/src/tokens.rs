//! Mints the tokens of scenarios and demo. The keys are for tests only; their public halves stand in the JWK set of
//! `e2e/keys/jwks.json` and in the scenarios' RequestAuthentications.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};

use crate::scenario::Token;

const RSA: &str = include_str!("../keys/rs256.pem");
const EC: &str = include_str!("../keys/es256.pem");

/// Signs `token` now.
///
/// # Errors
/// An unknown algorithm.
pub fn mint(token: &Token) -> Result<String> {
    let (algorithm, key) = match token.alg.as_str() {
        "RS256" => (Algorithm::RS256, EncodingKey::from_rsa_pem(RSA.as_bytes())?),
        "ES256" => (Algorithm::ES256, EncodingKey::from_ec_pem(EC.as_bytes())?),
        other => bail!("no key for `{other}`"),
    };
    let mut claims = token.claims.clone();
    if let Some(seconds) = token.expires_in {
        let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())?;
        claims.insert("exp".to_owned(), (now + seconds).into());
    }
    let mut header = Header::new(algorithm);
    header.kid = Some(token.alg.to_lowercase());
    Ok(encode(&header, &claims, &key)?)
}
