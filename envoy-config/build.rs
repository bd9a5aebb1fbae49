//! Embeds the WebAssembly modules into the binary, if `OUTRIGGER_MODULES` names a folder that has them.
//!
//! A build without them is for tests of the command itself; such a binary finds the modules at run time or says
//! how to get them.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

const VARIABLE: &str = "OUTRIGGER_MODULES";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    let list = match env::var_os(VARIABLE).filter(|folder| !folder.is_empty()) {
        Some(folder) => embed(Path::new(&folder), &out)?,
        None => String::from("&[]"),
    };
    fs::write(out.join("embedded.rs"), list)?;
    Ok(())
}

/// Copies the modules to `out`, so that the generated source depends on nothing that moves, and lists them.
fn embed(folder: &Path, out: &Path) -> Result<String, Box<dyn Error>> {
    if !folder.is_absolute() {
        return Err(format!("{VARIABLE} must be an absolute path, not `{}`", folder.display()).into());
    }
    println!("cargo::rerun-if-changed={}", folder.display());
    let read = fs::read_dir(folder).map_err(|e| format!("{VARIABLE}: {}: {e}", folder.display()))?;
    let mut list = String::from("&[");
    for entry in read {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with("outrigger") && name.ends_with(".wasm") {
            println!("cargo::rerun-if-changed={}", path.display());
            fs::copy(&path, out.join(name))?;
            write!(list, "({name:?}, include_bytes!({:?})),", out.join(name))?;
        }
    }
    if list == "&[" {
        return Err(format!("{VARIABLE}: no outrigger*.wasm in `{}`", folder.display()).into());
    }
    Ok(list + "]")
}
