//! `outrigger jwt mint` and `outrigger jwt jwks`

use std::path::PathBuf;
use std::str::FromStr as _;
use std::time::Duration;

use clap::{ArgGroup, Args};
use jsonwebtoken::Algorithm;
use outrigger_core::Now;
use serde_json::Value;

use crate::Exit;
use crate::cli::{complain, duration, moment, note, print_json, print_text};
use crate::jwt::key::{DevelopmentKey, KeyError};
use crate::jwt::mint::{MARK, Wanted, mint};

const EXAMPLES: &str = "\
Examples:
  outrigger jwt mint --new-key dev.pem --issuer https://dev.example --subject ann
  outrigger jwt mint --key dev.pem --issuer https://dev.example --subject ann --audience shop \\
      --claim 'groups=[\"admin\"]' --expires-in 5m

The key's public half, for `jwks` of a RequestAuthentication: outrigger jwt jwks --key dev.pem

Exit codes:
  0  done
  2  wrong usage, a file that holds no such key, or one that a new key would replace
  3  a file or the token can't be written";

/// How long a token is valid unless a flag says.
const HOUR: Duration = Duration::from_secs(3600);

/// Make a token, for demos and tests only: whoever has the key's file can make any
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, group = ArgGroup::new("signer").required(true).args(["key", "new_key"]))]
pub(super) struct Mint {
    /// Who says so: claim `iss`
    #[arg(long, value_name = "ISS")]
    issuer: String,

    /// Of whom: claim `sub`
    #[arg(long, value_name = "SUB")]
    subject: String,

    /// For whom: claim `aud`; repeatable
    #[arg(long = "audience", value_name = "AUD")]
    audiences: Vec<String>,

    /// Any other claim, as JSON; what is no JSON is a string; repeatable
    #[arg(long = "claim", value_name = "NAME=JSON", value_parser = claim)]
    claims: Vec<(String, Value)>,

    /// How long it is valid, such as 90s, 5m or 24h [default: 1h]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    expires_in: Option<Duration>,

    /// RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 or EdDSA [default: the usual one of the key; ES256 for a
    /// new one]
    #[arg(long, value_name = "ALG", value_parser = algorithm)]
    alg: Option<Algorithm>,

    /// The key to sign with (PEM, PKCS#8)
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,

    /// Make a key first and write it to this file, which must not be there
    #[arg(long, value_name = "FILE")]
    new_key: Option<PathBuf>,

    /// The key's name in the header [default: `development-` and the beginning of its thumbprint]
    #[arg(long, value_name = "KID")]
    kid: Option<String>,

    /// The moment at which it is made, such as 2030-01-02T03:04:05Z [default: now]
    #[arg(long, value_name = "RFC3339", value_parser = moment::parse)]
    now: Option<Now>,
}

const JWKS_EXAMPLES: &str = "\
Examples:
  outrigger jwt jwks --key dev.pem
  outrigger jwt jwks --key dev.pem --kid staging > keys.json

Exit codes:
  0  done
  2  wrong usage, or a file that holds no such key
  3  the result can't be written";

/// Print the public half of a key as a key set, for `jwks` of a RequestAuthentication
#[derive(Debug, Args)]
#[command(after_help = JWKS_EXAMPLES)]
pub(super) struct Jwks {
    /// The key (PEM, PKCS#8)
    #[arg(long, value_name = "FILE")]
    key: PathBuf,

    /// Its name [default: `development-` and the beginning of its thumbprint]
    #[arg(long, value_name = "KID")]
    kid: Option<String>,
}

impl Mint {
    pub(super) fn execute(&self) -> Exit {
        if let Some(wrong) = self.wrong_claim() {
            complain(&wrong);
            return Exit::Usage;
        }
        match self.mint() {
            Ok((token, file)) => {
                note(&format!(
                    "for demos and tests only (claim `{MARK}`): whoever has `{}` can make any such token",
                    file.display()
                ));
                print_text(&format!("{token}\n")).then(Exit::Success)
            }
            Err(error) => refused(&error),
        }
    }

    /// A claim that something else says already is refused: one of the two would be lost without a word.
    fn wrong_claim(&self) -> Option<String> {
        let flags = [
            ("iss", "--issuer", true),
            ("sub", "--subject", true),
            ("aud", "--audience", !self.audiences.is_empty()),
            ("exp", "--expires-in", self.expires_in.is_some()),
            ("iat", "--now", self.now.is_some()),
        ];
        self.claims.iter().enumerate().find_map(|(at, (name, _))| {
            if name == MARK {
                return Some(format!("`--claim {MARK}`: every token has it, and what it says is fixed"));
            }
            if self.claims.iter().take(at).any(|(before, _)| before == name) {
                return Some(format!("`--claim {name}` is given twice: leave one of them out"));
            }
            let (_, flag, _) = flags.iter().find(|(claim, _, given)| claim == name && *given)?;
            Some(format!("`--claim {name}` and `{flag}` say the same: leave one of them out"))
        })
    }

    fn mint(&self) -> Result<(String, PathBuf), KeyError> {
        let (key, file) = match (&self.new_key, &self.key) {
            (Some(file), _) => {
                let algorithm = self.alg.unwrap_or(Algorithm::ES256);
                (DevelopmentKey::create(file, algorithm)?, file)
            }
            (None, Some(file)) => (DevelopmentKey::read(file)?, file),
            // clap asks for one of them.
            (None, None) => {
                return Err(KeyError::Make("neither `--key` nor `--new-key` is given".to_owned()));
            }
        };
        let wanted = Wanted {
            issuer: self.issuer.clone(),
            subject: self.subject.clone(),
            audiences: self.audiences.clone(),
            lifetime: self.expires_in.unwrap_or(HOUR),
            claims: self.claims.clone(),
            kid: self.kid.clone(),
            algorithm: self.alg,
        };
        Ok((mint(&wanted, &key, self.now.unwrap_or_else(moment::now))?, file.clone()))
    }
}

impl Jwks {
    pub(super) fn execute(&self) -> Exit {
        match DevelopmentKey::read(&self.key) {
            Ok(key) => print_json(&key.public(self.kid.as_deref())).then(Exit::Success),
            Err(error) => refused(&error),
        }
    }
}

fn refused(error: &KeyError) -> Exit {
    complain(error);
    match error {
        // One that is there is not replaced: that is up to whoever named it.
        KeyError::Write { .. } => Exit::Environment,
        _ => Exit::Usage,
    }
}

fn claim(text: &str) -> Result<(String, Value), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => {
            let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
            Ok((name.to_owned(), value))
        }
        _ => Err(format!("`{text}` is not `name=value`")),
    }
}

fn algorithm(text: &str) -> Result<Algorithm, String> {
    let known = Algorithm::from_str(text).ok().filter(|_| !text.starts_with("HS"));
    known.ok_or_else(|| {
        format!("`{text}` is none of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 and EdDSA")
    })
}
