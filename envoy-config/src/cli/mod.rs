//! The command line: names, flags and exit codes are a contract.

pub mod analyze;
pub mod certs;
pub mod completion;
pub mod compose;
pub mod dashboards;
pub mod examples;
pub mod explain;
pub mod image;
pub mod input;
pub mod jwt;
mod key_sets;
mod moment;
mod no_effect;
mod print;
pub mod render;
pub mod render_flags;
pub mod run;
pub mod version;

use std::io::Write as _;
use std::time::Duration;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use self::print::{print_document, print_json, print_text};
use crate::Exit;
use crate::analyze::{Finding, human};
use crate::load::SourceFile;

const EXIT_CODES: &str = "\
Exit codes:
  0  done (explain: the request is forwarded; run: stopped by you)
  1  the resources have errors (explain: the proxy answers the request itself)
  2  wrong usage, or a file can't be read
  3  something around us is missing or taken: no Envoy, a port in use, or the result can't be written";

/// Istio's traffic, security and telemetry resources in stock Envoy, without Kubernetes or istiod.
#[derive(Debug, Parser)]
#[command(name = "outrigger", version, after_help = EXIT_CODES, max_term_width = 110, args_override_self = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Run),
    Render(Box<render::Render>),
    Analyze(analyze::Analyze),
    Explain(explain::Explain),
    Compose(compose::Compose),
    Certs(certs::Certs),
    Jwt(jwt::Jwt),
    Dashboards(dashboards::Dashboards),
    Image(image::Image),
    Version(version::Version),
    Completion(completion::Completion),
}

impl Cli {
    /// Reads the command line. What is wrong with it ends the process.
    pub fn read() -> Self {
        let mut command = Self::command();
        let matches = command.get_matches_mut();
        let checked = no_effect::check(&matches).and_then(|()| Self::from_arg_matches(&matches));
        checked.unwrap_or_else(|error| error.exit())
    }

    /// Carries the command out. Results go to standard output, everything else to standard error.
    pub fn run(self) -> Exit {
        match self.command {
            Some(Command::Run(run)) => run.execute(),
            Some(Command::Render(render)) => render.execute(),
            Some(Command::Analyze(analyze)) => analyze.execute(),
            Some(Command::Explain(explain)) => explain.execute(),
            Some(Command::Compose(compose)) => compose.execute(),
            Some(Command::Certs(certs)) => certs.execute(),
            Some(Command::Jwt(jwt)) => jwt.execute(),
            Some(Command::Dashboards(dashboards)) => dashboards.execute(),
            Some(Command::Image(image)) => image.execute(),
            Some(Command::Version(version)) => version.execute(),
            Some(Command::Completion(completion)) => completion.execute(),
            None => {
                let help = Self::command().after_help(examples::TRY_IT).render_help();
                print_text(&help.ansi().to_string()).then(Exit::Success)
            }
        }
    }
}

/// A duration of the command line, such as `90s`.
fn duration(text: &str) -> Result<Duration, String> {
    outrigger_api::parse_duration(text).map_err(|reason| format!("`{text}` {reason}"))
}

/// Says what went wrong, on standard error.
fn complain(error: &dyn std::fmt::Display) {
    let _ = writeln!(anstream::stderr(), "error: {error}");
}

/// Says what is wrong with resources, on standard error, with the lines of `files` that it is about.
fn complain_about(problems: &[Finding], files: &[&SourceFile]) {
    let _ = anstream::stderr().write_all(human::report(problems, files).as_bytes());
}

/// Says what may be wrong, on standard error.
fn warn(text: &str) {
    let _ = writeln!(anstream::stderr(), "warning: {text}");
}

/// Says something worth knowing, on standard error.
fn note(text: &str) {
    let _ = writeln!(anstream::stderr(), "note: {text}");
}
