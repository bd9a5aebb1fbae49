//! Key sets: which keys of a JWKS are usable, and which of them may have signed a token.

use jsonwebtoken::jwk::EllipticCurve;
use serde_json::{Map, Value};

use super::failure::Failure;
use super::public_key::{PublicKey, SignatureVerifier};
use super::token::Token;
use super::{base64url, json};

/// Members that only a private key has (RFC 7518 sections 6.2.2 and 6.3.2).
const PRIVATE_MEMBERS: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "oth"];

/// The usable keys of a JWKS, in its order.
#[derive(Debug, Clone)]
pub struct KeySet(Vec<Key>);

/// A key and how tokens choose it.
#[derive(Debug, Clone)]
struct Key {
    /// Empty if absent.
    kid: String,
    /// Empty if absent: any that fits the kind of key.
    alg: String,
    key: PublicKey,
}

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
            None => return Err(no_set("Jwks does not have [keys] field")),
        };
        let (mut keys, mut remarks) = (Vec::new(), Vec::new());
        for (index, jwk) in list.iter().enumerate() {
            let mut remark = |text: String| remarks.push(Remark { index, text });
            let Value::Object(jwk) = jwk else {
                remark("a key must be an object".to_owned());
                continue;
            };
            if let Some(member) = PRIVATE_MEMBERS.iter().find(|member| jwk.contains_key(**member)) {
                remark(format!(
                    "`{member}` belongs to the private key, which nobody but the issuer should have"
                ));
            }
            match Key::parse(jwk) {
                Ok(key) => keys.push(key),
                Err(reason) => remark(reason.to_owned()),
            }
        }
        if keys.is_empty() {
            return Err(Unusable { text: "Jwks doesn't have any valid public key", remarks });
        }
        Ok((Self(keys), remarks))
    }

    /// Checks the signature by every key whose `kid` and `alg` don't contradict the token's.
    pub(crate) fn verify(&self, token: &Token, verifier: &dyn SignatureVerifier) -> Result<(), Failure> {
        let mut candidates = self.0.iter().filter(|key| key.may_have_signed(token)).peekable();
        if candidates.peek().is_none() {
            return Err(Failure::JwksKidAlgMismatch);
        }
        let fits = |algorithm| {
            candidates.any(|key| {
                key.key.fits(algorithm)
                    && verifier.verify(&key.key, algorithm, &token.signed, &token.signature)
            })
        };
        // RFC 7515 section 4.1.11: whoever does not understand what `crit` lists must not accept the token.
        let verified = !token.critical && token.algorithm.is_some_and(fits);
        if verified { Ok(()) } else { Err(Failure::JwtVerificationFail) }
    }
}

impl Key {
    fn parse(jwk: &Map<String, Value>) -> Result<Self, &'static str> {
        // Of another type they count as absent.
        let optional = |name| jwk.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (kid, alg) = (optional("kid"), optional("alg"));
        let kty = member(jwk, "kty", "[kty] is missing in [keys]", "[kty] is bad in [keys]")?;
        let key = match kty {
            "RSA" => rsa(jwk, &alg),
            "EC" => ec(jwk, &alg),
            "oct" => Err("shared secrets (HS256, HS384, HS512) are not carried out yet"),
            "OKP" => Err("Edwards curves (EdDSA) are not carried out yet"),
            _ => Err("[kty] is not supported in [keys]"),
        }?;
        Ok(Self { kid, alg, key })
    }

    fn may_have_signed(&self, token: &Token) -> bool {
        let agree = |key: &str, token: &str| key.is_empty() || token.is_empty() || key == token;
        agree(&self.kid, &token.kid) && agree(&self.alg, &token.alg)
    }
}

fn rsa(jwk: &Map<String, Value>, alg: &str) -> Result<PublicKey, &'static str> {
    if !(alg.is_empty() || alg.starts_with("RS") || alg.starts_with("PS")) {
        return Err("[alg] is not started with [RS] or [PS] for an RSA key");
    }
    let n = member(jwk, "n", "[n] field is missing for a RSA key", "[n] field is not string for a RSA key")?;
    let e = member(jwk, "e", "[e] field is missing for a RSA key", "[e] field is not string for a RSA key")?;
    base64url::decode(n.as_bytes())
        .zip(base64url::decode(e.as_bytes()))
        .and_then(|(n, e)| PublicKey::rsa(&n, &e))
        .ok_or("Jwks RSA [n] or [e] field is missing or has a parse error")
}

fn ec(jwk: &Map<String, Value>, alg: &str) -> Result<PublicKey, &'static str> {
    if !(alg.is_empty() || alg.starts_with("ES")) {
        return Err("[alg] is not started with [ES] for an EC key");
    }
    let crv = member(jwk, "crv", "", "[crv] field is not string for an EC key");
    // Without `crv`, `alg` says which curve; without both it is P-256.
    let crv = if jwk.contains_key("crv") { crv? } else { "" };
    let curve = match (alg, crv) {
        ("ES256" | "", "P-256") | ("ES256" | "", "") => EllipticCurve::P256,
        ("ES384" | "", "P-384") | ("ES384", "") => EllipticCurve::P384,
        ("ES512" | "", "P-521") | ("ES512", "") => return Err("P-521 (ES512) is not carried out yet"),
        (alg, crv) if !alg.is_empty() && !crv.is_empty() => {
            return Err("[crv] field specified is not compatible with [alg] for an EC key");
        }
        _ => return Err("[crv] or [alg] field is not supported for an EC key"),
    };
    let x = member(jwk, "x", "[x] field is missing for an EC key", "[x] field is not string for an EC key")?;
    let y = member(jwk, "y", "[y] field is missing for an EC key", "[y] field is not string for an EC key")?;
    let (x, y) = base64url::decode(x.as_bytes())
        .zip(base64url::decode(y.as_bytes()))
        .ok_or("Jwks EC [x] or [y] field is an invalid Base64.")?;
    PublicKey::ec(&curve, &x, &y).ok_or("Jwks EC [x] and [y] fields have a parse error.")
}

fn member<'m>(
    jwk: &'m Map<String, Value>,
    name: &str,
    missing: &'static str,
    not_string: &'static str,
) -> Result<&'m str, &'static str> {
    jwk.get(name).ok_or(missing)?.as_str().ok_or(not_string)
}

#[cfg(test)]
mod tests;
