//! The WebAssembly modules that Envoy loads: embedded in this binary, or found beside it.

use std::borrow::Cow;
use std::path::PathBuf;
use std::{env, fs};

use clap::ValueEnum;

use crate::image::wasm;

/// Where to look for the modules before the embedded ones: a folder. At build time, where to embed them from.
pub const VARIABLE: &str = "OUTRIGGER_MODULES";

/// What the build put in: file name and bytes.
static EMBEDDED: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// One of our modules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum)]
pub enum Module {
    /// All five policies in one.
    Suite,
    /// RequestAuthentication.
    JwtAuthn,
    /// AuthorizationPolicy.
    Authz,
    /// Fault injection.
    Fault,
    /// Routes.
    Router,
    /// Istio's standard metrics.
    Metrics,
}

impl Module {
    /// The stand-alone filters, in the order in which a request meets them.
    pub const SEPARATE: [Self; 5] = [Self::JwtAuthn, Self::Authz, Self::Fault, Self::Router, Self::Metrics];

    /// Every module, the suite first.
    pub const ALL: [Self; 6] =
        [Self::Suite, Self::JwtAuthn, Self::Authz, Self::Fault, Self::Router, Self::Metrics];

    /// What it is called on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Suite => "suite",
            Self::JwtAuthn => "jwt-authn",
            Self::Authz => "authz",
            Self::Fault => "fault",
            Self::Router => "router",
            Self::Metrics => "metrics",
        }
    }

    /// The name of the file.
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::Suite => "outrigger.wasm",
            Self::JwtAuthn => "outrigger_jwt_authn.wasm",
            Self::Authz => "outrigger_authz.wasm",
            Self::Fault => "outrigger_fault.wasm",
            Self::Router => "outrigger_router.wasm",
            Self::Metrics => "outrigger_metrics.wasm",
        }
    }

    /// The module's bytes, from its [`Origin`].
    ///
    /// # Errors
    /// It is nowhere, or can't be read.
    pub fn bytes(self) -> Result<Cow<'static, [u8]>, ModuleError> {
        let name = self.file_name();
        match self.origin().ok_or(ModuleError::Missing(name))? {
            Origin::Folder(path) | Origin::Beside(path) => read(path),
            Origin::Embedded => {
                let found = EMBEDDED.iter().find(|(embedded, _)| *embedded == name);
                found.map(|(_, bytes)| Cow::Borrowed(*bytes)).ok_or(ModuleError::Missing(name))
            }
        }
    }

    /// The module's bytes, if Envoy can load them and they are those of this module. Whichever module Envoy is given
    /// would start, and not carry out what it does not know.
    ///
    /// # Errors
    /// As [`Self::bytes`]; the module is damaged, is not made for a proxy, or is another one of ours.
    pub fn loadable(self) -> Result<Cow<'static, [u8]>, ModuleError> {
        let bytes = self.bytes()?;
        let broken = |why| ModuleError::Broken(self.place(), why);
        let facts = wasm::facts(&bytes).map_err(broken)?;
        if facts.abi.is_none() {
            return Err(broken("it does not speak proxy-wasm".to_owned()));
        }
        match facts.stamp.map(|stamp| stamp.module) {
            Some(other) if format!("{other}.wasm") != self.file_name() => {
                Err(broken(format!("it says that it is `{}`", other.escape_debug())))
            }
            _ => Ok(bytes),
        }
    }

    fn place(self) -> String {
        match self.origin() {
            Some(Origin::Folder(path) | Origin::Beside(path)) => path.display().to_string(),
            _ => self.file_name().to_owned(),
        }
    }

    /// Where the module is taken from: the folder `OUTRIGGER_MODULES` if it is set, else this executable, else its
    /// folder; `None` if it is in none of them.
    pub fn origin(self) -> Option<Origin> {
        let name = self.file_name();
        if let Some(folder) = env::var_os(VARIABLE).filter(|folder| !folder.is_empty()) {
            return Some(Origin::Folder(PathBuf::from(folder).join(name)));
        }
        if EMBEDDED.iter().any(|(embedded, _)| *embedded == name) {
            return Some(Origin::Embedded);
        }
        let beside = env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join(name)));
        beside.filter(|path| path.is_file()).map(Origin::Beside)
    }
}

/// Where a module comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// This file in the folder that `OUTRIGGER_MODULES` names.
    Folder(PathBuf),
    /// It is in this executable.
    Embedded,
    /// This file beside the executable.
    Beside(PathBuf),
}

fn read(path: PathBuf) -> Result<Cow<'static, [u8]>, ModuleError> {
    let bytes = fs::read(&path).map_err(|source| ModuleError::Unreadable { path: path.clone(), source })?;
    if bytes.starts_with(b"\0asm") { Ok(Cow::Owned(bytes)) } else { Err(ModuleError::NotWasm(path)) }
}

/// A module can't be had.
#[derive(Debug, thiserror::Error)]
pub enum ModuleError {
    /// Nowhere to be found.
    #[error(
        "this build of `outrigger` carries no WebAssembly modules, and `{0}` is not beside it\n\
         hint: build everything with `./makew build` and use `dist/outrigger`, or set `OUTRIGGER_MODULES` to a \
         folder with the modules"
    )]
    Missing(&'static str),
    /// The file is there or was asked for, but can't be read.
    #[error("can't read the module `{}`: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is something else.
    #[error("`{}` is not a WebAssembly module", .0.display())]
    NotWasm(PathBuf),
    /// Envoy would not load the file, or it is not the module that it should be.
    #[error(
        "`{0}` can't be used: {1}\n\
         hint: copy it again whole, or leave `OUTRIGGER_MODULES` out to use the modules of this command"
    )]
    Broken(String, String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_module_is_chosen_by_its_name() {
        for module in Module::value_variants() {
            let shown = module.to_possible_value().unwrap();
            assert_eq!(shown.get_name(), module.name());
        }
        assert_eq!(Module::value_variants(), Module::ALL);
    }

    #[test]
    fn every_module_has_a_file_of_its_own() {
        let mut names: Vec<_> = Module::SEPARATE.iter().map(|module| module.file_name()).collect();
        names.push(Module::Suite.file_name());
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 6);
    }

    #[test]
    fn what_is_no_module_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("outrigger.wasm");
        fs::write(&path, b"<html>404</html>").unwrap();
        assert!(matches!(read(path.clone()), Err(ModuleError::NotWasm(_))));
        fs::write(&path, b"\0asm\x01\0\0\0").unwrap();
        assert_eq!(&*read(path).unwrap(), b"\0asm\x01\0\0\0");
        assert!(matches!(read(folder.path().join("none.wasm")), Err(ModuleError::Unreadable { .. })));
    }
}
