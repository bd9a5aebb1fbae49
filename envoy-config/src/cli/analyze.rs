//! `outrigger analyze`

use clap::{Args, ValueEnum};

use super::input::{Paths, Subject};
use crate::Exit;
use crate::analyze::{analyze_with, has_errors, human, sarif};

const EXAMPLES: &str = "\
Examples:
  outrigger analyze -f istio/
  outrigger analyze -f istio/ --role sidecar --label app=reviews -o json
  kustomize build . | outrigger analyze -f - -o sarif > findings.sarif

Exit codes:
  0  no error (there may be warnings)
  1  errors
  2  wrong usage, or a file can't be read
  3  the result can't be written";

/// Check the resources: every finding at once, with file, line and a hint
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Analyze {
    #[command(flatten)]
    paths: Paths,

    /// Form of the result: JSON and SARIF 2.1.0 go to other programs
    #[arg(short = 'o', long, value_enum, default_value_t = Output::Human)]
    output: Output,

    #[command(flatten)]
    subject: Subject,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    Human,
    Json,
    Sarif,
}

impl Analyze {
    /// Analyzes, prints, and says by the exit code whether there are errors.
    pub fn execute(self) -> Exit {
        let Some(read) = self.subject.with(self.paths).read() else { return Exit::Usage };
        let findings = analyze_with(&read.loaded, &read.proxy, &read.mesh, &read.options);
        let printed = match self.output {
            Output::Human => super::print_text(&human::report(&findings, &read.files())),
            Output::Json => super::print_json(&findings),
            Output::Sarif => super::print_json(&sarif::log(&findings)),
        };
        printed.then(if has_errors(&findings) { Exit::Refused } else { Exit::Success })
    }
}
