//! The command line of the benchmark.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use clap::Parser;

/// CPU time of Envoy per request with our filters, beside a bare Envoy, an empty filter and Envoy's own filters.
#[derive(Debug, Clone, Parser)]
#[command(name = "./makew bench --", disable_version_flag = true)]
pub struct Options {
    /// How often each configuration is measured; fewer than fifty say little of a microsecond [default: 100, with --routes,
    /// --tokens, --policies or --loading 15]
    #[arg(long = "rounds", value_name = "ROUNDS", value_parser = clap::value_parser!(u32).range(1..))]
    wanted_rounds: Option<u32>,
    /// Seconds of load for each measurement
    #[arg(long, value_name = "SECONDS", default_value_t = 0.2, value_parser = seconds)]
    pub seconds: f64,
    /// The rounds to measure.
    #[arg(skip)]
    pub rounds: u32,
    /// Connections of the load generator, all kept alive.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..))]
    pub connections: u32,
    /// Only this configuration and those it is compared with (repeatable).
    #[arg(long, value_name = "NAME")]
    pub only: Vec<String>,
    /// Ten rounds: whether it works, and roughly what it costs.
    #[arg(long, conflicts_with = "wanted_rounds")]
    pub quick: bool,
    /// Routing tables of 10 to 10,000 rules instead, and what they take up.
    #[arg(long, conflicts_with_all = ["scale", "only", "compare"])]
    pub routes: bool,
    /// Tokens of several algorithms instead: none, new ones, the same again, bad ones.
    #[arg(long, conflicts_with_all = ["scale", "only", "compare", "routes"])]
    pub tokens: bool,
    /// AuthorizationPolicies instead, 1 to 10,000 of several shapes.
    #[arg(long, conflicts_with_all = ["scale", "only", "compare", "routes", "tokens"])]
    pub policies: bool,
    /// Only sets of so many policies (repeatable).
    #[arg(long, value_name = "N", requires = "policies", conflicts_with = "quick", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub count: Vec<u32>,
    /// Metrics instead: alone and in the suite, with one set of labels and with a thousand.
    #[arg(long, conflicts_with_all = ["scale", "only", "compare", "routes", "tokens", "policies"])]
    pub metrics: bool,
    /// What loading each module costs instead: its size, and how much later Envoy is ready.
    #[arg(long, conflicts_with_all = ["scale", "only", "compare", "routes", "tokens", "policies", "metrics"])]
    pub loading: bool,
    /// Also 10 against 10,000 routes and authorization rules.
    #[arg(long)]
    pub scale: bool,
    /// Also the suite of another build (repeatable).
    #[arg(long, value_name = "NAME=WASM")]
    pub compare: Vec<Compared>,
    /// The filter that does nothing.
    #[arg(long, value_name = "WASM", default_value_os_t = below_root("dist/bench/empty_filter.wasm"))]
    pub empty: PathBuf,
    /// Where the figures go.
    #[arg(long, value_name = "FILE", default_value_os_t = below_root("dist/bench.json"))]
    pub output: PathBuf,
}

/// Another build of the suite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// What its row is called.
    pub name: String,
    /// The module.
    pub module: PathBuf,
}

impl std::str::FromStr for Compared {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, module) = text.split_once('=').context("of the form `NAME=WASM`")?;
        let module = Path::new(module).canonicalize().with_context(|| format!("`{module}`"))?;
        Ok(Self { name: name.to_owned(), module })
    }
}

impl Options {
    /// What the command line says.
    #[must_use]
    pub fn from_command_line() -> Self {
        Self::parse().completed()
    }

    /// Everything at its default.
    #[must_use]
    pub fn by_default() -> Self {
        Self::parse_from(["bench"]).completed()
    }

    fn completed(mut self) -> Self {
        let rounds = match (self.quick, self.routes || self.tokens || self.policies || self.loading) {
            (true, _) => 10,
            (false, true) => 15,
            (false, false) => 100,
        };
        self.rounds = self.wanted_rounds.unwrap_or(rounds);
        self
    }
}

/// How long a measurement takes.
fn seconds(text: &str) -> Result<f64> {
    let seconds: f64 = text.parse()?;
    ensure!((0.01..=3600.0).contains(&seconds), "between 0.01 and 3600");
    Ok(seconds)
}

fn below_root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("")).join(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quick_is_short() {
        let options = Options::parse_from(["bench", "--quick"]).completed();
        assert_eq!((options.rounds, options.seconds), (10, 0.2));
        assert!(Options::try_parse_from(["bench", "--quick", "--rounds", "3"]).is_err());
        assert!(Options::try_parse_from(["bench", "--rounds", "0"]).is_err());
        assert!(Options::try_parse_from(["bench", "--seconds", "0"]).is_err());
    }

    #[test]
    fn a_build_to_compare_with_has_a_name_and_a_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let compared: Compared = format!("o3={}", file.path().display()).parse().unwrap();
        assert_eq!(compared.name, "o3");
        assert!("o3".parse::<Compared>().is_err());
        assert!("o3=/nowhere/outrigger.wasm".parse::<Compared>().is_err());
    }
}
