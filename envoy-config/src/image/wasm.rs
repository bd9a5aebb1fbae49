//! What can be said of a module's bytes without running them.

use wasmparser::{Encoding, Parser, Payload};

/// How the functions begin by which a module says which proxy-wasm ABI it speaks; Envoy refuses one without.
const ABI: &str = "proxy_abi_version_";

/// The proxy-wasm ABI that a module speaks, such as `0.2.1`; `None` if it names none.
///
/// # Errors
/// It is no WebAssembly module.
pub(super) fn abi(module: &[u8]) -> Result<Option<String>, String> {
    let mut abi = None;
    for payload in Parser::new(0).parse_all(module) {
        match payload.map_err(|error| error.to_string())? {
            Payload::Version { encoding: Encoding::Component, .. } => {
                return Err("it is a component, not a module".to_owned());
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    let export = export.map_err(|error| error.to_string())?;
                    if let Some(version) = export.name.strip_prefix(ABI) {
                        abi = Some(version.replace('_', "."));
                    }
                }
            }
            _ => {}
        }
    }
    Ok(abi)
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
