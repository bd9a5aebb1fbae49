//! `./makew differential`: random resources against native Envoy.

use std::process::ExitCode;

use outrigger_e2e::differential::{options::Options, run};

fn main() -> ExitCode {
    match run(&Options::from_command_line()) {
        Ok(summary) if summary.failed == 0 => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("differential: {error:#}");
            ExitCode::FAILURE
        }
    }
}
