//! The `outrigger` command.

use envoy_config::{Exit, cli::Cli};

fn main() -> Exit {
    Cli::read().run()
}
