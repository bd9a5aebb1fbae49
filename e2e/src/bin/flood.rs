//! `./makew flood`: a million requests, each with labels of its own.

use std::process::ExitCode;

use outrigger_e2e::series_flood::{options::Options, run};

fn main() -> ExitCode {
    match run(&Options::from_command_line()) {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("flood: {error:#}");
            ExitCode::FAILURE
        }
    }
}
