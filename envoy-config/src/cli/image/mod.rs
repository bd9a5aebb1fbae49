//! `outrigger image`

mod build;
mod choice;
mod connection;
mod inspect;
mod push;
mod report;

use clap::{Args, Subcommand, ValueEnum};

use crate::Exit;

const EXAMPLES: &str = "\
Examples:
  outrigger image build -o images/
  outrigger image push registry.example/team/outrigger
  outrigger image inspect registry.example/team/outrigger:0.1.0

Exit codes: see `outrigger image COMMAND --help`";

/// The modules as OCI images, which Istio's WasmPlugin and Envoy Gateway load
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Image {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Build(build::Build),
    Push(push::Push),
    Inspect(inspect::Inspect),
}

impl Image {
    /// Carries the command out.
    pub fn execute(self) -> Exit {
        match self.command {
            Command::Build(build) => build.execute(),
            Command::Push(push) => push.execute(),
            Command::Inspect(inspect) => inspect.execute(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Lines of text
    Human,
    /// A list of objects
    Json,
}

/// Why a command ends before its end, and with what code.
struct Failure(Exit, String);

impl Failure {
    fn tell(self) -> Exit {
        super::complain(&self.1);
        self.0
    }
}
