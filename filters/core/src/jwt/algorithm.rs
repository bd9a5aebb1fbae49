//! The algorithms of signatures.

use std::str::FromStr;

use jsonwebtoken::Algorithm as Jws;

/// What a token's header `alg` names (RFC 7518 section 3.1, RFC 8037 section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// One that `jsonwebtoken` knows.
    Jws(Jws),
    /// ECDSA on P-521 with SHA-512, which it does not.
    Es512,
}

impl Algorithm {
    /// The algorithm of this name; `None` for all that Envoy calls "not supported", such as `none`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        if name == "ES512" { Some(Self::Es512) } else { Jws::from_str(name).ok().map(Self::Jws) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn names_are_those_of_envoy() {
        for name in [
            "ES256", "ES384", "ES512", "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256",
            "PS384", "PS512", "EdDSA",
        ] {
            let shown = match Algorithm::named(name) {
                Some(Algorithm::Jws(jws)) => format!("{jws:?}"),
                Some(Algorithm::Es512) => "ES512".to_owned(),
                None => String::new(),
            };
            assert_eq!(shown, name);
        }
        for name in ["", "none", "None", "es256", "RS1", "ES256K", "Ed25519", "RSA-OAEP", "dir", "HS256 "] {
            assert_eq!(Algorithm::named(name), None, "{name}");
        }
    }
}
