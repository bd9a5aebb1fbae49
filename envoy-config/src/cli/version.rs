//! `outrigger version`

use std::fmt::Write as _;

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::{complain, print_json, print_text, warn};
use crate::Exit;
use crate::image::Digest;
use crate::image::wasm::{self, Facts, Stamp};
use crate::modules::{Module, Origin};
use crate::run::ENVOY_VERSION;

/// Of this command.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The proxy-wasm ABI that our modules speak.
const PROXY_WASM: &str = "0.2.1";

const EXAMPLES: &str = "\
Examples:
  outrigger version
  outrigger version -o json
  OUTRIGGER_MODULES=dist/ outrigger version

Exit codes:
  0  printed; a module of another version is only warned of
  2  wrong usage
  3  a module can't be had or read, or the result can't be written";

/// Say the version, and which WebAssembly modules this command would use
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Version {
    /// For people or for programs
    #[arg(short = 'o', long, value_enum, default_value_t = Output::Human)]
    output: Output,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    Human,
    Json,
}

/// What is printed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    version: &'static str,
    /// The Envoy that the modules are made for.
    envoy: &'static str,
    proxy_wasm: &'static str,
    /// The suite first.
    modules: Vec<Entry>,
    warnings: Vec<String>,
}

/// A module; what can't be known of it is `null`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    name: &'static str,
    file: &'static str,
    /// `embedded`, `folder` (of `OUTRIGGER_MODULES`) or `beside` (this executable).
    origin: Option<&'static str>,
    /// Of the file, unless it is embedded.
    path: Option<String>,
    /// In bytes.
    size: Option<usize>,
    sha256: Option<String>,
    version: Option<String>,
    proxy_wasm: Option<String>,
    /// Why it can't be had.
    error: Option<String>,
}

impl Version {
    /// Looks at every module and prints what it is.
    pub fn execute(&self) -> Exit {
        let mut report = Report {
            version: VERSION,
            envoy: ENVOY_VERSION,
            proxy_wasm: PROXY_WASM,
            modules: Vec::new(),
            warnings: Vec::new(),
        };
        for module in Module::ALL {
            let entry = report.look_at(module);
            report.modules.push(entry);
        }
        let printed = match self.output {
            Output::Human => print_text(&report.lines()),
            Output::Json => print_json(&report),
        };
        for warning in &report.warnings {
            warn(warning);
        }
        let mut errors: Vec<_> = report.modules.iter().filter_map(|entry| entry.error.as_ref()).collect();
        // Where the folder is wrong, all say the same.
        errors.dedup();
        for error in &errors {
            complain(error);
        }
        printed.then(if errors.is_empty() { Exit::Success } else { Exit::Environment })
    }
}

impl Report {
    fn look_at(&mut self, module: Module) -> Entry {
        let (origin, path) = match module.origin() {
            None => (None, None),
            Some(Origin::Embedded) => (Some("embedded"), None),
            Some(Origin::Folder(path)) => (Some("folder"), Some(path)),
            Some(Origin::Beside(path)) => (Some("beside"), Some(path)),
        };
        let mut entry = Entry {
            name: module.name(),
            file: module.file_name(),
            origin,
            path: path.map(|path| path.display().to_string()),
            size: None,
            sha256: None,
            version: None,
            proxy_wasm: None,
            error: None,
        };
        match module.bytes() {
            Ok(bytes) => {
                entry.size = Some(bytes.len());
                entry.sha256 = Some(Digest::of(&bytes).hex().to_owned());
                match wasm::facts(&bytes) {
                    Ok(facts) => self.compare(&mut entry, facts),
                    Err(why) => entry.error = Some(format!("the module `{}`: {why}", entry.file)),
                }
            }
            Err(error) => entry.error = Some(error.to_string()),
        }
        entry
    }

    fn compare(&mut self, entry: &mut Entry, facts: Facts) {
        let mut warn =
            |text: String| self.warnings.push(format!("the module `{}` {}", entry.file, plain(&text)));
        if facts.abi.as_deref() != Some(PROXY_WASM) {
            let other = facts.abi.as_deref().unwrap_or("none");
            warn(format!("speaks proxy-wasm {other}, not {PROXY_WASM}"));
        }
        match &facts.stamp {
            None => warn("does not say of which version it is: it is not one of a release".to_owned()),
            Some(Stamp { module, version }) => {
                if format!("{module}.wasm") != entry.file {
                    warn(format!("says that it is `{module}`"));
                }
                if version != VERSION {
                    warn(format!("is of version {version}, this command of {VERSION}"));
                }
            }
        }
        entry.version = facts.stamp.map(|stamp| stamp.version);
        entry.proxy_wasm = facts.abi;
    }

    fn lines(&self) -> String {
        let mut text = format!(
            "outrigger {}\n  for Envoy {}, by proxy-wasm {}\n\nmodules\n",
            self.version, self.envoy, self.proxy_wasm
        );
        for entry in &self.modules {
            let Some((size, sha256)) = entry.size.zip(entry.sha256.as_ref()) else {
                let _ = writeln!(text, "  {:<9}  can't be had", entry.name);
                continue;
            };
            let version = plain(entry.version.as_deref().unwrap_or("-"));
            let place = entry.path.as_deref().unwrap_or("embedded");
            let _ = writeln!(text, "  {:<9}  {version:<7}  {size:>8} bytes  {place}", entry.name);
            let _ = writeln!(text, "  {:<9}  sha256:{sha256}", "");
        }
        text
    }
}

/// What whoever made the file has written, as a terminal may see it: it is not to obey it.
fn plain(text: &str) -> String {
    text.replace(char::is_control, " ")
}
