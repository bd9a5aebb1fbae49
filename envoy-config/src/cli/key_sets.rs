//! `--jwks`

use std::path::PathBuf;

use clap::Args;
use outrigger_api::Resource;
use outrigger_core::jwt::fetch;

use crate::explain::use_keys;
use crate::load::Unreadable;

/// Keys that are given in place of those that rules name.
#[derive(Debug, Args)]
pub(super) struct KeySets {
    /// Key set of an issuer, in place of the one that its rule names (without an issuer: `=FILE`); repeatable
    #[arg(long, value_name = "ISSUER=FILE", value_parser = parse)]
    jwks: Vec<(String, PathBuf)>,
}

impl KeySets {
    /// Whether none is given.
    pub(super) fn is_empty(&self) -> bool {
        self.jwks.is_empty()
    }

    /// Reads them and puts them into the rules. `false`: something is wrong, and standard error says what.
    pub(super) fn put_into(&self, resources: &mut [Resource]) -> bool {
        self.jwks.iter().fold(true, |good, (issuer, path)| {
            let keys = match std::fs::read_to_string(path) {
                Ok(keys) => keys,
                Err(error) => {
                    super::complain(&Unreadable { path: path.clone(), error });
                    return false;
                }
            };
            // As if a server had answered so.
            if let Err(reason) = fetch::keys(b"200", keys.as_bytes()) {
                let path = path.display();
                super::complain(&format!("`{path}` is not a JSON Web Key Set that can be used: {reason}"));
                return false;
            }
            let known = use_keys(resources, issuer, &keys);
            if !known {
                super::complain(&match issuer.as_str() {
                    "" => "no rule of a RequestAuthentication is without an issuer".to_owned(),
                    issuer => format!("no RequestAuthentication has the issuer `{issuer}`"),
                });
            }
            good && known
        })
    }
}

fn parse(text: &str) -> Result<(String, PathBuf), String> {
    // An issuer is a URL more often than not, and a URL may have a `=` in its query.
    match text.rsplit_once('=') {
        Some((issuer, file)) if !file.is_empty() => Ok((issuer.to_owned(), file.into())),
        _ => Err(format!("`{text}` is not `issuer=file`")),
    }
}
