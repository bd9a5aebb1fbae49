//! SHA-256, as manifests write it.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::error::Error;
use super::modules::named;
use crate::image::Digest;
use crate::modules::Module;

/// A SHA-256 as its digits alone: `^[a-f0-9]{64}$`, as Istio and Envoy want it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checksum(Digest);

impl Checksum {
    /// Reads 64 hexadecimal digits.
    ///
    /// # Errors
    /// It is something else.
    pub fn parse(text: &str) -> Result<Self, String> {
        Digest::from_hex(text)
            .map(Self)
            .map_err(|_| format!("`{text}` is not a SHA-256: 64 digits of 0-9 and a-f"))
    }

    /// The 64 digits.
    pub fn as_str(&self) -> &str {
        self.0.hex()
    }
}

impl From<Digest> for Checksum {
    fn from(digest: Digest) -> Self {
        Self(digest)
    }
}

impl Serialize for Checksum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// What the user says of the modules' checksums.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checksums {
    only: Option<Checksum>,
    by_module: BTreeMap<&'static str, Checksum>,
}

impl Checksums {
    /// Reads the values of `--sha256`: one alone, or `MODULE=HEX` each.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn parse(values: &[String]) -> Result<Self, String> {
        let mut all = Self::default();
        for value in values {
            match value.split_once('=') {
                None => {
                    if all.only.replace(Checksum::parse(value)?).is_some() {
                        return Err("two checksums for one module; write `--sha256 MODULE=HEX`".to_owned());
                    }
                }
                Some((name, digits)) => {
                    let name = named(name)?.name();
                    if all.by_module.insert(name, Checksum::parse(digits)?).is_some() {
                        return Err(format!("two checksums for `{name}`"));
                    }
                }
            }
        }
        if all.only.is_some() && !all.by_module.is_empty() {
            return Err("write each checksum as `--sha256 MODULE=HEX`".to_owned());
        }
        Ok(all)
    }

    /// Whether there are any.
    pub fn is_empty(&self) -> bool {
        self.only.is_none() && self.by_module.is_empty()
    }

    /// That of `module`, one of so `many`.
    ///
    /// # Errors
    /// One for several modules.
    pub(super) fn given(&self, module: Module, many: usize) -> Result<Option<Checksum>, Error> {
        if self.only.is_some() && many > 1 {
            let message =
                format!("one `--sha256` for {many} modules; write `--sha256 {}=HEX` for each", module.name());
            return Err(Error::Asked(message));
        }
        Ok(self.by_module.get(module.name()).or(self.only.as_ref()).cloned())
    }

    /// That of `module`: as given, else that of the module of this build.
    ///
    /// # Errors
    /// One for several modules; none is given, and this build has no such module.
    pub(super) fn of(&self, module: Module, many: usize) -> Result<Checksum, Error> {
        match self.given(module, many)? {
            Some(given) => Ok(given),
            None => Ok(Checksum(Digest::of(&module.loadable()?))),
        }
    }

    /// The first for a module that is not among `modules`.
    pub(super) fn unused(&self, modules: &[Module]) -> Option<&'static str> {
        let used = |name: &str| modules.iter().any(|module| module.name() == name);
        self.by_module.keys().copied().find(|name| !used(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_alone_are_written() {
        let hex = "0e".repeat(32);
        let checksum = Checksum::parse(&format!("sha256:{hex}")).unwrap();
        assert_eq!(serde_json::to_string(&checksum).unwrap(), format!("\"{hex}\""));
        assert!(Checksum::parse("12").unwrap_err().contains("64 digits"));
    }

    #[test]
    fn one_is_for_one_module() {
        let (one, other) = ("0".repeat(64), "1".repeat(64));
        let parse = |values: &[String]| Checksums::parse(values);
        let only = parse(std::slice::from_ref(&one)).unwrap();
        assert_eq!(only.of(Module::Authz, 1).unwrap().as_str(), one);
        assert!(matches!(only.of(Module::Authz, 2), Err(Error::Asked(_))));
        let each = parse(&[format!("authz={one}"), format!("fault={other}")]).unwrap();
        assert_eq!(each.of(Module::Fault, 2).unwrap().as_str(), other);
        assert_eq!(each.unused(&[Module::Authz]), Some("fault"));
        for wrong in [
            vec![one.clone(), other.clone()],
            vec![format!("x={one}")],
            vec![one.clone(), format!("authz={other}")],
        ] {
            assert!(parse(&wrong).is_err(), "{wrong:?}");
        }
    }
}
