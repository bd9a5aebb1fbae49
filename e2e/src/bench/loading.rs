//! What loading a module costs: how much later an Envoy is ready that has it. Its main thread stands still meanwhile, at the
//! start as at each change of the code.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result};
use envoy_config::modules::Module;
use serde::Serialize;
use serde_json::{Value, json};

use super::configurations::empty;
use super::envoy::{self, Envoy, answering};
use super::machine::Machine;
use super::options::Options;
use super::ours::with_module;
use super::report::Target;
use super::statistics::Spread;

/// How long the suite may keep Envoy's main thread, in seconds.
const SUITE: f64 = 0.8;
/// What modules may weigh, in bytes.
const SUITE_BYTES: f64 = 700_000.0;
const SEPARATE_BYTES: f64 = 450_000.0;

/// Everything that was measured.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    machine: Machine,
    rounds: u32,
    /// Seconds until an Envoy without any module is ready.
    bare: f64,
    modules: Vec<Figure>,
    targets: Vec<Target>,
}

/// One module.
#[derive(Debug, Serialize)]
struct Figure {
    file: &'static str,
    bytes: u64,
    /// Seconds by which Envoy is ready later, within a round.
    seconds: Spread,
}

/// Measures, prints the table and adds it to the report.
///
/// # Errors
/// As [`super::run`].
pub(super) fn run(options: &Options) -> Result<()> {
    let modules = super::modules()?;
    let before = Machine::read();
    before.warn_if_busy();
    let mut samples: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for round in 0..options.rounds {
        samples.entry("").or_default().push(seconds_until_ready(None)?);
        for module in Module::ALL {
            let filter = filter(options, &modules.join(module.file_name()))?;
            samples.entry(module.file_name()).or_default().push(seconds_until_ready(Some(&filter))?);
        }
        eprintln!("bench: round {} of {}", round + 1, options.rounds);
    }
    let report = Report::new(&modules, &samples, options, before.after())?;
    print!("{}", report.table());
    super::report::add(&options.output, "loading", serde_json::to_value(&report)?)?;
    eprintln!("bench: {} written", options.output.display());
    Ok(())
}

/// A filter of a gateway without any resources, in `module`.
fn filter(options: &Options, module: &Path) -> Result<Value> {
    let mut filter = with_module(&empty(options), module)?;
    let configuration =
        json!({"proxy": {"role": "gateway", "workload": "edge", "namespace": "default"}, "resources": []});
    filter["typed_config"]["config"]["configuration"] = json!({
        "@type": "type.googleapis.com/google.protobuf.StringValue",
        "value": configuration.to_string(),
    });
    Ok(filter)
}

fn seconds_until_ready(filter: Option<&Value>) -> Result<f64> {
    let folder = tempfile::tempdir()?;
    let [port] = envoy::free_ports()?;
    let listeners: Vec<_> = filter.iter().map(|filter| answering(port, "loading", filter)).collect();
    let started = Instant::now();
    let _envoy =
        Envoy::start("loading", &json!({"static_resources": {"listeners": listeners}}), folder.path(), None)?;
    Ok(started.elapsed().as_secs_f64())
}

impl Report {
    fn new(
        folder: &Path,
        samples: &BTreeMap<&str, Vec<f64>>,
        options: &Options,
        machine: Machine,
    ) -> Result<Self> {
        let of = |name: &str| samples.get(name).map(Vec::as_slice).context("nothing was measured");
        let bare = of("")?;
        let (mut modules, mut targets) = (Vec::new(), Vec::new());
        for module in Module::ALL {
            let file = module.file_name();
            let bytes = super::module_size(&folder.join(file))?;
            let seconds =
                Spread::paired(of(file)?, bare, |own, bare| own - bare).context("nothing was measured")?;
            let is_suite = module == Module::Suite;
            let limit = if is_suite { SUITE_BYTES } else { SEPARATE_BYTES };
            targets.push(Target::new(&format!("bytes of {file}"), limit, bytes as f64));
            if is_suite {
                targets.push(Target::new("seconds that the suite keeps Envoy", SUITE, seconds.median));
            }
            modules.push(Figure { file, bytes, seconds });
        }
        let bare = Spread::of(bare.iter().copied()).context("nothing was measured")?.median;
        Ok(Self { machine, rounds: options.rounds, bare, modules, targets })
    }

    /// As plain text.
    fn table(&self) -> String {
        let mut text = format!(
            "\nSeconds by which Envoy is ready later with a module, median of {} rounds; without any it takes {:.2}.\n\n\
             {:<26} {:>9} {:>9}  quartiles\n",
            self.rounds, self.bare, "module", "bytes", "seconds"
        );
        for row in &self.modules {
            let Spread { q1, median, q3 } = row.seconds;
            let _ = writeln!(text, "{:<26} {:>9} {median:>9.2}  {q1:.2} to {q3:.2}", row.file, row.bytes);
        }
        text.push('\n');
        super::table::targets(&mut text, &self.targets);
        text
    }
}
