//! `./makew bench`: what our filters cost, beside Envoy's own.

use std::process::ExitCode;

use outrigger_e2e::bench::{options::Options, run};

fn main() -> ExitCode {
    match run(&Options::from_command_line()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}
