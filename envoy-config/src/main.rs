//! The `outrigger` command.

use clap::Parser as _;
use envoy_config::{Exit, cli::Cli};

fn main() -> Exit {
    Cli::parse().run()
}
