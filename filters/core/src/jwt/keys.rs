//! Key sets: which keys of a JWKS are usable, and which of them may have signed a token.

use serde_json::{Map, Value};

use super::failure::Failure;
use super::json;
use super::jwk::{self, Key};
use super::token::Token;
use super::verification_key::{ED25519_SIGNATURE, SignatureVerifier};

/// The usable keys of a JWKS, in its order.
#[derive(Debug, Clone)]
pub struct KeySet(Vec<Key>);

/// Something to be told about one key of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Remark {
    /// Its place in `keys`.
    pub(crate) index: usize,
    /// What is to be told, in Envoy's words where it has any.
    pub(crate) text: String,
}

/// A text that is no key set, or that has no usable key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unusable {
    /// Why, in Envoy's words.
    pub(crate) text: &'static str,
    /// What is wrong with each key.
    pub(crate) remarks: Vec<Remark>,
}

impl KeySet {
    /// Reads a JWKS (RFC 7517). Keys that can't be used are left out, each with a remark, as Envoy leaves them out.
    ///
    /// # Errors
    /// [`Unusable`].
    pub(crate) fn parse(text: &str) -> Result<(Self, Vec<Remark>), Unusable> {
        let no_set = |text| Unusable { text, remarks: Vec::new() };
        let set = json::parse_object(text.as_bytes()).ok_or(no_set("Jwks is an invalid JSON"))?;
        let list = match set.get("keys") {
            Some(Value::Array(list)) => list,
            Some(_) => return Err(no_set("[keys] in Jwks is not an array")),
            None if is_certificates(&set) => return Err(no_set(CERTIFICATES)),
            None => return Err(no_set("Jwks does not have [keys] field")),
        };
        let (mut keys, mut remarks) = (Vec::new(), Vec::new());
        for (index, jwk) in list.iter().enumerate() {
            let mut remark = |text: String| remarks.push(Remark { index, text });
            let Value::Object(jwk) = jwk else {
                remark("a key must be an object".to_owned());
                continue;
            };
            if let Some(member) = jwk::private_member(jwk) {
                remark(format!(
                    "`{member}` belongs to the private key, which nobody but the issuer should have"
                ));
            }
            match Key::parse(jwk) {
                Ok(key) => {
                    key.doubt().into_iter().for_each(remark);
                    keys.push(key);
                }
                Err(reason) => remark(reason.to_owned()),
            }
        }
        if keys.is_empty() {
            return Err(Unusable { text: "Jwks doesn't have any valid public key", remarks });
        }
        Ok((Self(keys), remarks))
    }

    /// Checks the signature by every key whose `kid` and `alg` don't contradict the token's, in their order.
    pub(crate) fn verify(&self, token: &Token, verifier: &dyn SignatureVerifier) -> Result<(), Failure> {
        let length = token.signature.len();
        let mut failure = Failure::JwksKidAlgMismatch;
        for key in self.0.iter().filter(|key| key.may_have_signed(token)) {
            failure = Failure::JwtVerificationFail;
            // Whatever the token's algorithm is, and even if a later key fits: so does Envoy.
            if key.is_ed25519() && length != ED25519_SIGNATURE {
                return Err(Failure::JwtEd25519SignatureWrongLength);
            }
            let Some(fitting) = key.that_fits(token.algorithm, length) else { continue };
            let signed = || verifier.verify(fitting, token.algorithm, &token.signed, &token.signature);
            if !token.has_unknown_rules && signed() {
                return Ok(());
            }
        }
        Err(failure)
    }
}

/// What is told of a set in the form that Google also serves.
const CERTIFICATES: &str =
    "a map of certificates is not carried out; take the same keys as JSON Web Keys ([keys] in Jwks)";

/// Whether `set` maps key ids to certificates (PEM), as Envoy takes them too.
fn is_certificates(set: &Map<String, Value>) -> bool {
    let is_certificate =
        |value: &Value| value.as_str().is_some_and(|text| text.starts_with("-----BEGIN CERTIFICATE-----"));
    !set.is_empty() && set.values().all(is_certificate)
}

#[cfg(test)]
mod tests;
