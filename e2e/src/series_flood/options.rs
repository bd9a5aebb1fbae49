//! The command line.

use clap::Parser;

/// A flood of requests with random paths, hosts, user agents and header values, all of them labels of the metrics.
#[derive(Debug, Clone, Parser)]
#[command(name = "./makew flood --", disable_version_flag = true)]
pub struct Options {
    /// How many requests.
    #[arg(long, default_value_t = 1_000_000)]
    pub requests: u64,
    /// How many series a metric may have.
    #[arg(long = "max-series", value_name = "N", default_value_t = 10_000)]
    pub most: u64,
    /// Repeats a run.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How many connections there are.
    #[arg(long, default_value_t = 8)]
    pub connections: usize,
}

impl Options {
    /// What the command line says.
    #[must_use]
    pub fn from_command_line() -> Self {
        Self::parse()
    }

    /// Fewer requests and series than by default.
    #[must_use]
    pub fn short(requests: u64, most: u64) -> Self {
        Self { requests, most, ..Self::parse_from(["flood"]) }
    }
}
