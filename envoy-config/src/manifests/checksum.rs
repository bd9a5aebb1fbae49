//! SHA-256, as manifests write it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::error::Error;
use super::modules::{module_name, named};
use crate::modules::Module;

/// A SHA-256: `^[a-f0-9]{64}$`, as Istio and Envoy want it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Checksum(String);

impl Checksum {
    /// Reads 64 hexadecimal digits; capitals are taken.
    ///
    /// # Errors
    /// It is something else.
    pub fn parse(text: &str) -> Result<Self, String> {
        let digits = text.strip_prefix("sha256:").unwrap_or(text);
        if digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            Ok(Self(digits.to_ascii_lowercase()))
        } else {
            Err(format!("`{text}` is not a SHA-256: 64 hexadecimal digits"))
        }
    }

    /// That of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        let digest = Sha256::digest(bytes);
        let hex = digest.iter().fold(String::with_capacity(64), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        Self(hex)
    }

    /// The 64 digits.
    pub fn as_str(&self) -> &str {
        &self.0
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
                    let name = module_name(named(name)?);
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
            let message = format!(
                "one `--sha256` for {many} modules; write `--sha256 {}=HEX` for each",
                module_name(module)
            );
            return Err(Error::Asked(message));
        }
        Ok(self.by_module.get(module_name(module)).or(self.only.as_ref()).cloned())
    }

    /// That of `module`: as given, else that of the module of this build.
    ///
    /// # Errors
    /// One for several modules; none is given, and this build has no such module.
    pub(super) fn of(&self, module: Module, many: usize) -> Result<Checksum, Error> {
        match self.given(module, many)? {
            Some(given) => Ok(given),
            None => Ok(Checksum::of(&module.bytes()?)),
        }
    }

    /// The first for a module that is not among `modules`.
    pub(super) fn unused(&self, modules: &[Module]) -> Option<&'static str> {
        let used = |name: &str| modules.iter().any(|module| module_name(*module) == name);
        self.by_module.keys().copied().find(|name| !used(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_bytes() {
        // FIPS 180-2, appendix B.1.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Checksum::of(b"abc").as_str(), abc);
        assert_eq!(Checksum::parse(&abc.to_uppercase()), Ok(Checksum::of(b"abc")));
        assert_eq!(Checksum::parse(&format!("sha256:{abc}")), Ok(Checksum::of(b"abc")));
        for wrong in ["", "abc", &"a".repeat(63), &abc.replace('b', "g"), &format!("{abc}0")] {
            assert!(Checksum::parse(wrong).is_err(), "{wrong}");
        }
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
