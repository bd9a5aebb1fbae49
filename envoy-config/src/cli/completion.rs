//! `outrigger completion`

use clap::{Args, CommandFactory as _};
use clap_complete::{Shell, generate};

use super::{Cli, print_document};
use crate::Exit;

const EXAMPLES: &str = "\
Examples:
  outrigger completion bash > /etc/bash_completion.d/outrigger
  outrigger completion zsh > ~/.zfunc/_outrigger
  outrigger completion fish > ~/.config/fish/completions/outrigger.fish

Exit codes:
  0  printed
  2  wrong usage
  3  the result can't be written";

/// Print a script by which a shell completes commands, flags and their values
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Completion {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completion {
    /// Prints it.
    pub fn execute(&self) -> Exit {
        let mut script = Vec::new();
        generate(self.shell, &mut Cli::command(), "outrigger", &mut script);
        print_document(&String::from_utf8_lossy(&script)).then(Exit::Success)
    }
}
