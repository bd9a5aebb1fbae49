//! What is asked: no token, the same token again and again, a new one each time, one with a bad signature.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::super::load::{Lines, Request};
use super::super::setting::request;

/// How many tokens differ where each is a new one: more than any cache holds.
const NEW_TOKENS: usize = 3_000;

/// The path of every request.
const PATH: &str = "/orders/4711";

/// A kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    /// Without a token.
    None,
    /// Always the same.
    Warm(Alg),
    /// Another one each time.
    Cold(Alg),
    /// The same, and its signature is another token's.
    Bad(Alg),
}

/// An algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alg {
    Rs256,
    Es256,
    EdDsa,
    Ps256,
}

impl Alg {
    const ALL: [Self; 4] = [Self::Rs256, Self::Es256, Self::EdDsa, Self::Ps256];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Ps256 => "PS256",
        }
    }

    fn key(self) -> Result<(Algorithm, EncodingKey)> {
        let rsa = include_bytes!("../../../keys/rs256.pem");
        Ok(match self {
            Self::Rs256 => (Algorithm::RS256, EncodingKey::from_rsa_pem(rsa)?),
            Self::Ps256 => (Algorithm::PS256, EncodingKey::from_rsa_pem(rsa)?),
            Self::Es256 => {
                (Algorithm::ES256, EncodingKey::from_ec_pem(include_bytes!("../../../keys/es256.pem"))?)
            }
            Self::EdDsa => {
                (Algorithm::EdDSA, EncodingKey::from_ed_pem(include_bytes!("../../../keys/ed25519.pem"))?)
            }
        })
    }
}

impl Case {
    /// All that are measured.
    pub(super) fn all() -> Vec<Self> {
        let mut all = vec![Self::None];
        all.extend(Alg::ALL.into_iter().flat_map(|alg| [Self::Warm(alg), Self::Cold(alg)]));
        all.extend([Self::Bad(Alg::Rs256), Self::Bad(Alg::Es256)]);
        all
    }

    /// As in the table.
    pub(super) fn name(self) -> String {
        match self {
            Self::None => "no token".to_owned(),
            Self::Warm(alg) => format!("{} again", alg.name()),
            Self::Cold(alg) => format!("{} new", alg.name()),
            Self::Bad(alg) => format!("{} bad", alg.name()),
        }
    }

    /// Whether it is refused where tokens are verified.
    pub(super) fn is_refused(self) -> bool {
        matches!(self, Self::Bad(_))
    }

    /// What is sent. `folder` is for the tokens.
    pub(super) fn request(self, folder: &Path) -> Result<Request> {
        let mut request = request(PATH.to_owned());
        match self {
            Self::None => {}
            Self::Warm(alg) => request.headers.push(bearer(&mint(alg, 0)?)),
            Self::Cold(alg) => {
                request.each = Some(Lines { header: "authorization", file: new_tokens(alg, folder)? });
            }
            Self::Bad(alg) => {
                let (one, other) = (mint(alg, 0)?, mint(alg, 1)?);
                let (signed, _) = one.rsplit_once('.').context("a token without dots")?;
                let (_, signature) = other.rsplit_once('.').context("a token without dots")?;
                request.headers.push(bearer(&format!("{signed}.{signature}")));
            }
        }
        Ok(request)
    }
}

fn bearer(token: &str) -> (String, String) {
    ("authorization".to_owned(), format!("Bearer {token}"))
}

/// The issuer of every token that is sent.
pub(super) const ISSUER: &str = "https://issuer-09.example.com";

pub(super) fn mint(alg: Alg, number: usize) -> Result<String> {
    let claims = json!({
        "iss": ISSUER,
        "sub": format!("customer-{number:06}"),
        "aud": "shop",
        "scope": "orders:read catalog:read",
        "exp": 4_000_000_000_u64,
    });
    let (algorithm, key) = alg.key()?;
    let mut header = Header::new(algorithm);
    header.kid = Some(alg.name().to_owned());
    Ok(encode(&header, &claims, &key)?)
}

/// A file with a token a line, as the header has it.
fn new_tokens(alg: Alg, folder: &Path) -> Result<PathBuf> {
    let file = folder.join(format!("{}.tokens", alg.name()));
    if !file.exists() {
        let mut out = std::io::BufWriter::new(std::fs::File::create(&file)?);
        for number in 0..NEW_TOKENS {
            writeln!(out, "Bearer {}", mint(alg, number)?)?;
        }
        out.flush()?;
    }
    Ok(file)
}

/// The keys of the tokens, and so many others before them.
pub(super) fn keys(others: usize) -> Result<Value> {
    let set: Value = serde_json::from_str(include_str!("../../../keys/jwks.json"))?;
    let with = |index: usize, alg: Alg| {
        let mut key = set["keys"][index].clone();
        key["kid"] = alg.name().into();
        key["alg"] = alg.name().into();
        key
    };
    let ed25519 = json!({
        "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "EdDSA",
        "x": ED25519,
    });
    let other = |number: usize| {
        let mut key = with(0, Alg::Rs256);
        key["kid"] = format!("other-{number}").into();
        key
    };
    let own = [with(0, Alg::Rs256), with(0, Alg::Ps256), with(1, Alg::Es256), ed25519];
    Ok(json!({"keys": (0..others).map(other).chain(own).collect::<Vec<_>>()}))
}

/// The public half of `ed25519.pem`.
const ED25519: &str = "EL47x2ksk3uHzfxCdyLOy4YHGvEVIXWcVP5FQ5KushA";
