//! What can be said of a module's bytes without running them.

use serde::Deserialize;
use wasmparser::{Encoding, Parser, Payload};

/// How the functions begin by which a module says which proxy-wasm ABI it speaks; Envoy refuses one without.
const ABI: &str = "proxy_abi_version_";

/// The custom section by which a module of ours says what it is; `outrigger-pack` writes it.
const SECTION: &str = "outrigger";

/// What a module says of itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// The proxy-wasm ABI, such as `0.2.1`.
    pub(crate) abi: Option<String>,
    /// Which of our modules it is.
    pub(crate) stamp: Option<Stamp>,
}

/// What is in the section `outrigger` of a module.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Stamp {
    /// The name of its file, without `.wasm`.
    pub(crate) module: String,
    /// Of the release that it is from.
    pub(crate) version: String,
}

/// What a module says of itself.
///
/// # Errors
/// It is no WebAssembly module, or its section `outrigger` is not one of ours.
pub(crate) fn facts(module: &[u8]) -> Result<Facts, String> {
    let mut facts = Facts::default();
    for payload in Parser::new(0).parse_all(module) {
        match payload.map_err(|error| error.to_string())? {
            Payload::Version { encoding: Encoding::Component, .. } => {
                return Err("it is a component, not a module".to_owned());
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    let export = export.map_err(|error| error.to_string())?;
                    if let Some(version) = export.name.strip_prefix(ABI) {
                        facts.abi = Some(version.replace('_', "."));
                    }
                }
            }
            Payload::CustomSection(section) if section.name() == SECTION => {
                let stamp = serde_json::from_slice(section.data());
                facts.stamp = Some(stamp.map_err(|error| format!("its section `{SECTION}`: {error}"))?);
            }
            _ => {}
        }
    }
    Ok(facts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn abi(module: &[u8]) -> Result<Option<String>, String> {
        facts(module).map(|facts| facts.abi)
    }

    #[test]
    fn the_abi_is_that_of_the_marker() {
        let with = wat::parse_str(r#"(module (func (export "proxy_abi_version_0_2_1")))"#).unwrap();
        assert_eq!(abi(&with), Ok(Some("0.2.1".to_owned())));
        let without = wat::parse_str(r#"(module (func (export "main")))"#).unwrap();
        assert_eq!(abi(&without), Ok(None));
    }

    #[test]
    fn what_is_no_module_is_said_to_be_none() {
        assert!(abi(b"\0asm\x01\0\0\0\xff\xff").is_err());
        assert!(abi(b"<html>").is_err());
        assert!(abi(&wat::parse_str("(component)").unwrap()).unwrap_err().contains("component"));
    }

    #[test]
    fn the_stamp_is_read() {
        let stamped = |text: &str| {
            let text = text.replace('"', "\\\"");
            facts(&wat::parse_str(format!("(module (@custom \"outrigger\" \"{text}\"))")).unwrap())
        };
        let Facts { abi, stamp } = stamped(r#"{"module":"outrigger_authz","version":"0.1.0"}"#).unwrap();
        let wanted = Stamp { module: "outrigger_authz".to_owned(), version: "0.1.0".to_owned() };
        assert_eq!((abi, stamp), (None, Some(wanted)));
        assert!(stamped("0.1.0").unwrap_err().contains("its section `outrigger`"));
        assert_eq!(facts(&wat::parse_str("(module)").unwrap()), Ok(Facts::default()));
    }
}
