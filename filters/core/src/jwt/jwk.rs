//! One key of a set (RFC 7517, RFC 7518 section 6, RFC 8037 section 2), as Envoy reads it. `use`, `key_ops` and `x5c`
//! count for nothing, as there.

use jsonwebtoken::jwk::EllipticCurve;
use serde_json::{Map, Value};

use super::algorithm::Algorithm;
use super::base64url;
use super::token::Token;
use super::verification_key::{ED25519_KEY, KeyMaterial, VerificationKey};

/// Members that only a private key has (RFC 7518 sections 6.2.2 and 6.3.2).
const PRIVATE_MEMBERS: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "oth"];

/// The member by which a key that should be public shows to be private.
pub(super) fn private_member(jwk: &Map<String, Value>) -> Option<&'static str> {
    PRIVATE_MEMBERS.into_iter().find(|member| jwk.contains_key(*member))
}

/// A key and how tokens choose it.
#[derive(Debug, Clone)]
pub(super) struct Key {
    /// Empty if absent.
    kid: String,
    /// Empty if absent: any that fits the kind of key.
    alg: String,
    key: VerificationKey,
}

impl Key {
    /// # Errors
    /// Why the key can't be used, in Envoy's words where it has any.
    pub(super) fn parse(jwk: &Map<String, Value>) -> Result<Self, &'static str> {
        // Of another type they count as absent.
        let optional = |name| jwk.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (kid, alg) = (optional("kid"), optional("alg"));
        let kty = member(jwk, "kty", "[kty] is missing in [keys]", "[kty] is bad in [keys]")?;
        let key = match kty {
            "RSA" => rsa(jwk, &alg),
            "EC" => ec(jwk, &alg),
            "oct" => oct(jwk, &alg),
            "OKP" => okp(jwk, &alg),
            _ => Err("[kty] is not supported in [keys]"),
        }?;
        Ok(Self { kid, alg, key })
    }

    /// What is odd about a key that can be used all the same.
    pub(super) fn doubt(&self) -> Option<String> {
        let KeyMaterial::Secret(secret) = self.key.material() else { return None };
        let (algorithm, least) = match self.alg.as_str() {
            "HS384" => ("HS384", 48),
            "HS512" => ("HS512", 64),
            _ => ("HS256", 32),
        };
        let length = secret.bytes().len();
        (length < least).then(|| {
            format!(
                "a secret of {length} bytes is easier to guess than a signature: {algorithm} wants at least {least} \
                 (RFC 7518 section 3.2)"
            )
        })
    }

    /// Whether neither `kid` nor `alg` contradicts the token's.
    pub(super) fn may_have_signed(&self, token: &Token) -> bool {
        let agree = |key: &str, token: &str| key.is_empty() || token.is_empty() || key == token;
        agree(&self.kid, &token.kid) && agree(&self.alg, &token.alg)
    }

    /// The key, if a signature of this length under this algorithm can be its own.
    pub(super) fn that_fits(&self, algorithm: Algorithm, length: usize) -> Option<&VerificationKey> {
        let fits = self.key.fits(algorithm) && self.key.signature_length().is_none_or(|own| own == length);
        fits.then_some(&self.key)
    }

    /// Whether it is a key of Ed25519.
    pub(super) fn is_ed25519(&self) -> bool {
        matches!(self.key.material(), KeyMaterial::Ed25519(_))
    }
}

fn rsa(jwk: &Map<String, Value>, alg: &str) -> Result<VerificationKey, &'static str> {
    if !(alg.is_empty() || alg.starts_with("RS") || alg.starts_with("PS")) {
        return Err("[alg] is not started with [RS] or [PS] for an RSA key");
    }
    let n = member(jwk, "n", "[n] field is missing for a RSA key", "[n] field is not string for a RSA key")?;
    let e = member(jwk, "e", "[e] field is missing for a RSA key", "[e] field is not string for a RSA key")?;
    base64url::decode(n.as_bytes())
        .zip(base64url::decode(e.as_bytes()))
        .and_then(|(n, e)| VerificationKey::rsa(&n, &e))
        .ok_or("Jwks RSA [n] or [e] field is missing or has a parse error")
}

fn ec(jwk: &Map<String, Value>, alg: &str) -> Result<VerificationKey, &'static str> {
    if !(alg.is_empty() || alg.starts_with("ES")) {
        return Err("[alg] is not started with [ES] for an EC key");
    }
    let crv = member(jwk, "crv", "", "[crv] field is not string for an EC key");
    // Without `crv`, `alg` says which curve; without both it is P-256.
    let crv = if jwk.contains_key("crv") { crv? } else { "" };
    let curve = match (alg, crv) {
        ("ES256" | "", "P-256") | ("ES256" | "", "") => EllipticCurve::P256,
        ("ES384" | "", "P-384") | ("ES384", "") => EllipticCurve::P384,
        ("ES512" | "", "P-521") | ("ES512", "") => EllipticCurve::P521,
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
    VerificationKey::ec(&curve, &x, &y).ok_or("Jwks EC [x] and [y] fields have a parse error.")
}

fn oct(jwk: &Map<String, Value>, alg: &str) -> Result<VerificationKey, &'static str> {
    if !matches!(alg, "" | "HS256" | "HS384" | "HS512") {
        return Err("[alg] does not start with [HS] for an HMAC key");
    }
    let k =
        member(jwk, "k", "[k] field is missing for an HMAC key", "[k] field is not string for an HMAC key")?;
    base64url::decode(k.as_bytes())
        .and_then(VerificationKey::secret)
        .ok_or("Jwks Oct key is an invalid Base64")
}

fn okp(jwk: &Map<String, Value>, alg: &str) -> Result<VerificationKey, &'static str> {
    if !matches!(alg, "" | "EdDSA") {
        return Err("[alg] is not [EdDSA] for an OKP key");
    }
    let (missing, not_string) =
        ("[crv] field is missing for an OKP key", "[crv] field is not string for an OKP key");
    if member(jwk, "crv", missing, not_string)? != "Ed25519" {
        return Err("[crv] field is not supported for an OKP key");
    }
    let x =
        member(jwk, "x", "[x] field is missing for an OKP key", "[x] field is not string for an OKP key")?;
    let x = base64url::decode(x.as_bytes()).ok_or("Jwks OKP [x] field is an invalid Base64.")?;
    let x = <[u8; ED25519_KEY]>::try_from(x).map_err(|_| "Jwks OKP [x] field is wrong length.")?;
    VerificationKey::ed25519(x)
        .ok_or("Jwks OKP [x] field is no point of Ed25519, or one of small order, for which anybody can sign")
}

fn member<'m>(
    jwk: &'m Map<String, Value>,
    name: &str,
    missing: &'static str,
    not_string: &'static str,
) -> Result<&'m str, &'static str> {
    jwk.get(name).ok_or(missing)?.as_str().ok_or(not_string)
}
