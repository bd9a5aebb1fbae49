//! The command line.

use std::path::{Path, PathBuf};

use clap::{Parser, ValueEnum};

/// What is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Which {
    /// VirtualServices, by the suite and by native Envoy routes.
    Routes,
    /// RequestAuthentications, by the filter jwt-authn and by native Envoy's.
    Jwt,
    /// AuthorizationPolicies, by the suite or by jwt-authn and authz, and by native Envoy's RBAC filters.
    Authz,
}

/// Random Istio resources, carried out by our filters and by Envoy's own: the same requests to both.
#[derive(Debug, Clone, Parser)]
#[command(name = "./makew differential --", disable_version_flag = true)]
pub struct Options {
    /// What is tried.
    #[arg(long, value_enum, default_value_t = Which::Routes)]
    pub policy: Which,
    /// Repeats a run.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How many configurations.
    #[arg(long, default_value_t = 2000)]
    pub configurations: usize,
    /// The number of the first one.
    #[arg(long, default_value_t = 0)]
    pub first: usize,
    /// How many requests in all.
    #[arg(long, default_value_t = 200_000)]
    pub requests: usize,
    /// How many configurations share an Envoy.
    #[arg(long, default_value_t = 250, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    pub batch: usize,
    /// How many requests are under way at once.
    #[arg(long, default_value_t = 4, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=64))]
    pub threads: usize,
    /// How many differences are made small; the others are told in one line.
    #[arg(long, default_value_t = 1)]
    pub shrink: usize,
    /// Prints the configurations and does nothing else.
    #[arg(long)]
    pub show: bool,
    /// Where the modules are.
    #[arg(long, value_name = "DIR", env = "OUTRIGGER_MODULES", default_value_os_t = below_root("dist"))]
    pub modules: PathBuf,
}

impl Options {
    /// What the command line says.
    #[must_use]
    pub fn from_command_line() -> Self {
        Self::parse()
    }

    /// Fewer configurations and requests of `policy` than by default.
    #[must_use]
    pub fn short(policy: Which, configurations: usize, requests: usize) -> Self {
        Self { policy, configurations, requests, ..Self::parse_from(["differential"]) }
    }
}

fn below_root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("")).join(path)
}
