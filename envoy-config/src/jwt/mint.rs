//! Tokens for demos and tests.

use std::time::Duration;

use jsonwebtoken::{Algorithm, Header, encode};
use outrigger_core::Now;
use serde_json::{Map, Value};

use super::key::{DevelopmentKey, KeyError};

/// The claim by which a token says what it is for.
pub const MARK: &str = "outrigger.io/development";

/// Its value: a string, since policies compare no other kind.
const FOR: &str = "demos and tests";

/// What a token is to say.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// `iss`
    pub issuer: String,
    /// `sub`
    pub subject: String,
    /// `aud`: a string if there is one, else a list; none if empty.
    pub audiences: Vec<String>,
    /// How long after `now` it expires.
    pub lifetime: Duration,
    /// Further claims, which may also replace those above.
    pub claims: Vec<(String, Value)>,
    /// The key's name; `None`: its usual one.
    pub kid: Option<String>,
    /// `None`: the usual one of the kind of key.
    pub algorithm: Option<Algorithm>,
}

/// Makes a token that says so, and that it is for development.
///
/// # Errors
/// The key does not sign by this algorithm.
pub fn mint(wanted: &Wanted, key: &DevelopmentKey, now: Now) -> Result<String, KeyError> {
    let mut header = Header::new(key.algorithm(wanted.algorithm)?);
    header.kid = Some(wanted.kid.clone().unwrap_or_else(|| key.kid()));
    encode(&header, &claims(wanted, now), key.private()).map_err(|error| KeyError::Make(error.to_string()))
}

fn claims(wanted: &Wanted, now: Now) -> Map<String, Value> {
    let now = now.0.as_secs();
    let mut claims = Map::new();
    claims.insert("iss".to_owned(), wanted.issuer.clone().into());
    claims.insert("sub".to_owned(), wanted.subject.clone().into());
    match wanted.audiences.as_slice() {
        [] => {}
        [one] => drop(claims.insert("aud".to_owned(), one.clone().into())),
        several => drop(claims.insert("aud".to_owned(), several.into())),
    }
    claims.insert("iat".to_owned(), now.into());
    claims.insert("exp".to_owned(), now.saturating_add(wanted.lifetime.as_secs()).into());
    claims.extend(wanted.claims.iter().cloned());
    claims.insert(MARK.to_owned(), FOR.into());
    claims
}
