//! A key of one's own to sign tokens with, for demos and tests: a file that holds a private key in PEM (PKCS#8).

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, JwkSet, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey};
use rsa::pkcs8::EncodePrivateKey as _;
use thiserror::Error;

/// What is wrong with a key.
#[derive(Debug, Error)]
pub enum KeyError {
    /// It can't be read.
    #[error("can't read `{}`: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It can't be written.
    #[error("can't write `{}`: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is there, and a new one was asked for.
    #[error("`{path}` is there already, and no key is ever replaced\nhint: `--key {path}` signs by it", path = .0.display())]
    There(PathBuf),
    /// There is none of a kind that signs tokens.
    #[error("`{}` holds no private key of RSA, P-256, P-384 or Ed25519 (PEM, PKCS#8)", .0.display())]
    NoKey(PathBuf),
    /// It is no text.
    #[error(
        "`{path}` is no PEM\nhint: if it is DER: openssl pkey -in {path} -inform DER -out key.pem",
        path = .0.display()
    )]
    NoPem(PathBuf),
    /// The algorithm is another kind of key's.
    #[error("a key of this kind signs by {} only", names(.0))]
    Algorithm(&'static [Algorithm]),
    /// No key could be made.
    #[error("no key can be made: {0}")]
    Make(String),
}

fn names(algorithms: &[Algorithm]) -> String {
    algorithms.iter().map(|algorithm| format!("{algorithm:?}")).collect::<Vec<_>>().join(", ")
}

const RSA: &[Algorithm] = &[
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
];
const P256: &[Algorithm] = &[Algorithm::ES256];
const P384: &[Algorithm] = &[Algorithm::ES384];
const ED25519: &[Algorithm] = &[Algorithm::EdDSA];

/// Bits of a new RSA key.
const RSA_BITS: usize = 2048;

/// What stands before the seed of an Ed25519 key (RFC 8410 section 7).
const ED25519_HEAD: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

/// A private key.
pub struct DevelopmentKey {
    key: EncodingKey,
    jwk: Jwk,
    algorithms: &'static [Algorithm],
}

impl std::fmt::Debug for DevelopmentKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("DevelopmentKey").field("algorithms", &self.algorithms).finish_non_exhaustive()
    }
}

impl DevelopmentKey {
    /// Makes a key that signs by `algorithm` and writes it to `path`, where nothing may be yet, for its owner alone.
    ///
    /// # Errors
    /// The file is there or can't be written; for HMAC there is no key to make.
    pub fn create(path: &Path, algorithm: Algorithm) -> Result<Self, KeyError> {
        let pem = pem(&made(algorithm)?);
        let written = || {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
            file.write_all(pem.as_bytes())?;
            file.sync_all()
        };
        written().map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => KeyError::There(path.to_owned()),
            _ => KeyError::Write { path: path.to_owned(), source },
        })?;
        Self::parse(&pem).ok_or_else(|| KeyError::NoKey(path.to_owned()))
    }

    /// Reads a key.
    ///
    /// # Errors
    /// The file can't be read, or holds no key.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let bytes = fs::read(path).map_err(|source| KeyError::Read { path: path.to_owned(), source })?;
        let pem = String::from_utf8(bytes).map_err(|_| KeyError::NoPem(path.to_owned()))?;
        Self::parse(&pem).ok_or_else(|| KeyError::NoKey(path.to_owned()))
    }

    fn parse(pem: &str) -> Option<Self> {
        type Read = fn(&[u8]) -> jsonwebtoken::errors::Result<EncodingKey>;
        let kinds: [(Read, &'static [Algorithm]); 4] = [
            (EncodingKey::from_rsa_pem, RSA),
            (EncodingKey::from_ec_pem, P256),
            (EncodingKey::from_ec_pem, P384),
            (EncodingKey::from_ed_pem, ED25519),
        ];
        kinds.into_iter().find_map(|(read, algorithms)| {
            let key = read(pem.as_bytes()).ok()?;
            let jwk = Jwk::from_encoding_key(&key, *algorithms.first()?).ok()?;
            Some(Self { key, jwk, algorithms })
        })
    }

    /// The private key.
    pub(super) fn private(&self) -> &EncodingKey {
        &self.key
    }

    /// The algorithm to sign by: `asked`, else the kind of key's usual one.
    ///
    /// # Errors
    /// The kind of key has not the one that is asked for.
    pub fn algorithm(&self, asked: Option<Algorithm>) -> Result<Algorithm, KeyError> {
        let usual = self.algorithms.first().copied().ok_or(KeyError::Algorithm(self.algorithms))?;
        match asked {
            None => Ok(usual),
            Some(asked) if self.algorithms.contains(&asked) => Ok(asked),
            Some(_) => Err(KeyError::Algorithm(self.algorithms)),
        }
    }

    /// What the key is called: the same for the same key, and not to be taken for a real one's name.
    pub fn kid(&self) -> String {
        let print = self.jwk.thumbprint(ThumbprintHash::SHA256).unwrap_or_default();
        format!("development-{}", print.get(..8).unwrap_or(&print))
    }

    /// The public half as a key set, for `jwks` of a RequestAuthentication. An RSA key signs by several algorithms, so
    /// it names none.
    pub fn public(&self, kid: Option<&str>) -> JwkSet {
        let mut jwk = self.jwk.clone();
        jwk.common.key_id = Some(kid.map_or_else(|| self.kid(), str::to_owned));
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        if let AlgorithmParameters::RSA(_) = jwk.algorithm {
            jwk.common.key_algorithm = None;
        }
        JwkSet { keys: vec![jwk] }
    }
}

/// A new private key in PKCS#8.
fn made(algorithm: Algorithm) -> Result<Vec<u8>, KeyError> {
    let curve = |curve| {
        let pair = rcgen::KeyPair::generate_for(curve).map_err(|error| KeyError::Make(error.to_string()))?;
        Ok(pair.serialize_der())
    };
    match algorithm {
        Algorithm::ES256 => curve(&rcgen::PKCS_ECDSA_P256_SHA256),
        Algorithm::ES384 => curve(&rcgen::PKCS_ECDSA_P384_SHA384),
        Algorithm::EdDSA => {
            let mut seed = [0; 32];
            getrandom::fill(&mut seed).map_err(|error| KeyError::Make(error.to_string()))?;
            Ok([&ED25519_HEAD[..], &seed].concat())
        }
        algorithm if RSA.contains(&algorithm) => {
            let failed = |error: &dyn std::fmt::Display| KeyError::Make(error.to_string());
            let key =
                rsa::PrivateKey::new(&mut getrandom::SysRng, RSA_BITS).map_err(|error| failed(&error))?;
            key.to_pkcs8_der().map(|der| der.as_bytes().to_vec()).map_err(|error| failed(&error))
        }
        _ => Err(KeyError::Make(
            "whoever can verify an HMAC token can also make one: take a key of another kind".to_owned(),
        )),
    }
}

/// RFC 7468 section 10.
fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut lines = vec!["-----BEGIN PRIVATE KEY-----".to_owned()];
    let mut rest = text.as_str();
    while let Some((line, more)) = rest.split_at_checked(64) {
        lines.push(line.to_owned());
        rest = more;
    }
    lines.extend((!rest.is_empty()).then(|| rest.to_owned()));
    lines.push("-----END PRIVATE KEY-----\n".to_owned());
    lines.join("\n")
}
