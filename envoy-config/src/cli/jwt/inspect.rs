//! `outrigger jwt inspect`

use std::io::Read as _;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use outrigger_api::{Proxy, Resource};
use outrigger_core::Now;

use crate::Exit;
use crate::analyze::Finding;
use crate::cli::input::InputOptions;
use crate::cli::key_sets::KeySets;
use crate::cli::{complain, complain_about, moment, print_json, print_text};
use crate::jwt::human;
use crate::jwt::inspect::Inspection;
use crate::names;
use crate::proxy_options::ProxyOptions;

const EXAMPLES: &str = "\
Examples:
  outrigger jwt inspect eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJhIn0.AAAA
  outrigger jwt inspect \"$TOKEN\" -f istio/ --now 2030-01-02T03:04:05Z
  outrigger jwt inspect - -f istio/ --jwks https://issuer.example=keys.json -o json

Exit codes:
  0  the token is accepted by a rule, or could be read and no files with rules were given
  1  no rule of the files takes it, or no proxy ever does
  2  wrong usage, a file can't be read, or the resources have errors
  3  the result can't be written";

/// Take a token apart and say which rule takes it, which check fails, and what would pass
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Inspect {
    /// The token, or `-` for standard input; `Bearer ` before it is left out
    #[arg(value_name = "TOKEN")]
    token: String,

    /// RequestAuthentications to hold it against: a file, a folder, or `-` for standard input; repeatable
    #[arg(short = 'f', long = "file", value_name = "PATH")]
    files: Vec<PathBuf>,

    /// Namespace of resources that name none
    #[arg(short = 'n', long = "default-namespace", value_name = "NS", default_value = "default", value_parser = names::namespace)]
    default_namespace: String,

    /// Istio's MeshConfig, as YAML
    #[arg(long, value_name = "FILE")]
    mesh_config: Option<PathBuf>,

    /// The moment, such as 2030-01-02T03:04:05Z [default: now]
    #[arg(long, value_name = "RFC3339", value_parser = moment::parse)]
    now: Option<Now>,

    #[command(flatten)]
    keys: KeySets,

    /// Form of the result
    #[arg(short = 'o', long, value_enum, default_value_t = Output::Human)]
    output: Output,

    #[command(flatten)]
    proxy: ProxyOptions,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    Human,
    Json,
}

impl Inspect {
    pub(super) fn execute(&self) -> Exit {
        let Some(token) = self.token() else { return Exit::Usage };
        let Some((resources, proxy)) = self.resources() else { return Exit::Usage };
        let now = self.now.unwrap_or_else(moment::now);
        let inspection = match Inspection::new(&token, now, resources.as_deref(), &proxy) {
            Ok(inspection) => inspection,
            Err(problems) => {
                complain_about(&problems.iter().map(Finding::from).collect::<Vec<_>>(), &[]);
                return Exit::Usage;
            }
        };
        let printed = match self.output {
            Output::Human => print_text(&human::report(&inspection)),
            Output::Json => print_json(&inspection),
        };
        let passes = inspection.accepted.unwrap_or(inspection.parts.malformed.is_none());
        printed.then(if passes { Exit::Success } else { Exit::Refused })
    }

    fn token(&self) -> Option<String> {
        let mut text = self.token.clone();
        if text == "-" {
            if self.files.iter().any(|file| file.as_os_str() == "-") {
                complain(&"standard input is either the token or resources");
                return None;
            }
            text.clear();
            if let Err(error) = std::io::stdin().read_to_string(&mut text) {
                complain(&format!("standard input can't be read: {error}"));
                return None;
            }
        }
        let text = text.trim();
        let token = text.strip_prefix("Bearer ").unwrap_or(text).trim_start();
        if token.is_empty() {
            complain(&"the token is empty");
            return None;
        }
        Some(token.to_owned())
    }

    /// The resources, if there are any, and the proxy they are for. `None`: something is wrong, and standard error says
    /// what.
    fn resources(&self) -> Option<(Option<Vec<Resource>>, Proxy)> {
        let input = InputOptions {
            files: self.files.clone(),
            default_namespace: self.default_namespace.clone(),
            mesh_config: self.mesh_config.clone(),
            path_normalization: None,
        };
        if self.files.is_empty() {
            if !self.keys.is_empty() {
                complain(&"keys (--jwks) verify a token only by the rules of resources (-f)");
                return None;
            }
            return Some((None, self.proxy.proxy(&input.mesh()?.mesh)));
        }
        let (mut loaded, mesh) = input.read()?;
        let problems = mesh.problems.iter().chain(&loaded.problems);
        let errors: Vec<_> = problems.filter(|problem| problem.is_error()).map(Finding::from).collect();
        if !errors.is_empty() {
            complain_about(&errors, &loaded.files.iter().chain(&mesh.file).collect::<Vec<_>>());
            return None;
        }
        let given = self.keys.put_into(&mut loaded.resources);
        given.then(|| (Some(loaded.resources), self.proxy.proxy(&mesh.mesh)))
    }
}
