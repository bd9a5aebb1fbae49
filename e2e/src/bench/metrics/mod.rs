//! What metrics cost: alone and within the suite, with one set of labels and with a thousand in turn.

mod report;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use envoy_config::modules::Module;
use serde_json::Value;

use self::report::Report;
use super::calls::{self, Calls};
use super::configurations::{Row, empty};
use super::envoy::{self, Envoy};
use super::listener::{Listener, Policies, Routes, listener, route_to};
use super::load::{Generator, Lines, Load, Request};
use super::machine::{Cores, Machine};
use super::native::ORDERS_V1;
use super::options::Options;
use super::ours::Ours;
use super::{bootstrap, probes, resources, rounds, setting};

/// Who measures, and how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    /// Nobody but Envoy.
    Bare,
    /// A WebAssembly filter that does nothing.
    Empty,
    /// The metrics filter alone.
    Alone,
    /// The same with a label of a request header, which always has the same value.
    One,
    /// The same with a thousand values in turn.
    Thousand,
    /// The suite with every metric switched off.
    SuiteWithout,
    /// The suite with the metrics of requests.
    Suite,
    /// The same and those of gRPC's messages, which Envoy counts.
    SuiteMessages,
    /// What the metrics filter asks the host, and nothing else.
    AloneCalls,
    /// Likewise with a label of one value, and of a thousand.
    OneCalls,
    ThousandCalls,
    /// Likewise of the suite without metrics, and of the suite.
    SuiteWithoutCalls,
    SuiteCalls,
}

/// Time in which every set of labels is seen.
const DEFINING: Duration = Duration::from_secs(10);

impl Side {
    const ALL: [Self; 13] = [
        Self::Bare,
        Self::Empty,
        Self::Alone,
        Self::AloneCalls,
        Self::One,
        Self::OneCalls,
        Self::Thousand,
        Self::ThousandCalls,
        Self::SuiteWithout,
        Self::SuiteWithoutCalls,
        Self::Suite,
        Self::SuiteCalls,
        Self::SuiteMessages,
    ];
    /// Our filters, and what has their calls.
    const CALLS: [(Self, Self); 5] = [
        (Self::Alone, Self::AloneCalls),
        (Self::One, Self::OneCalls),
        (Self::Thousand, Self::ThousandCalls),
        (Self::SuiteWithout, Self::SuiteWithoutCalls),
        (Self::Suite, Self::SuiteCalls),
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Empty => "empty",
            Self::Alone => "metrics",
            Self::One => "metrics, one value",
            Self::Thousand => "metrics, 1000 values",
            Self::SuiteWithout => "suite without metrics",
            Self::Suite => "suite",
            Self::SuiteMessages => "suite, gRPC messages",
            Self::AloneCalls => "metrics, calls",
            Self::OneCalls => "one value, calls",
            Self::ThousandCalls => "1000 values, calls",
            Self::SuiteWithoutCalls => "suite without, calls",
            Self::SuiteCalls => "suite, calls",
        }
    }

    /// What its Telemetry changes.
    fn overrides(self) -> &'static [&'static str] {
        const NO_REQUESTS: &str = "{match: {metric: GRPC_REQUEST_MESSAGES}, disabled: true}";
        const NO_RESPONSES: &str = "{match: {metric: GRPC_RESPONSE_MESSAGES}, disabled: true}";
        const TEAM: &str = "{tagOverrides: {team: {value: \"request.headers['x-team']\"}}}";
        match self {
            Self::SuiteWithout | Self::SuiteWithoutCalls => &["{disabled: true}"],
            Self::One | Self::OneCalls | Self::Thousand | Self::ThousandCalls => {
                &[NO_REQUESTS, NO_RESPONSES, TEAM]
            }
            Self::SuiteMessages => &[],
            _ => &[NO_REQUESTS, NO_RESPONSES],
        }
    }

    /// The number of values of its label.
    fn values(self) -> Option<usize> {
        match self {
            Self::One | Self::OneCalls => Some(1),
            Self::Thousand | Self::ThousandCalls => Some(1000),
            _ => None,
        }
    }
}

/// Measures, prints the table and adds it to the report.
///
/// # Errors
/// As [`super::run`].
pub(super) fn run(options: &Options) -> Result<()> {
    let cores = Cores::find();
    let folder = tempfile::tempdir()?;
    let ports = envoy::free_ports::<2>()?;
    let upstream =
        Envoy::start("upstream", &bootstrap::upstream(ports), &folder.path().join("upstream"), cores.load)?;
    let generator = Generator::new(cores.load, options.connections)?;
    let before = Machine::read();
    before.warn_if_busy();
    let (listeners, ours) = listeners(options, ports, folder.path())?;
    let bootstrap =
        bootstrap::measured(listeners.iter().map(|(_, listener)| listener), &ours.clusters, &ours);
    let measured = Envoy::start("measured", &bootstrap, &folder.path().join("measured"), cores.envoy)?;
    let rows = rows(&listeners, folder.path())?;
    for row in &rows {
        let seen = probes::send(row.port, "GET", &row.request)?;
        ensure!(seen.status == Some(200), "`{}` answers {:?} ({})", row.name, seen.status, seen.body);
    }
    // For the first request of a series a filter asks more.
    define_all(&rows, &generator, &measured)?;
    for (filter, calls) in Side::CALLS {
        calls::check(&measured, &rows, filter.name(), calls.name())?;
    }
    let samples = rounds::measure(&rows, &measured, &generator, options)?;
    drop((measured, upstream));
    let report = Report::new(&samples, options, before.after())?;
    print!("{}", report.table());
    super::report::add(&options.output, "metrics", serde_json::to_value(&report)?)?;
    eprintln!("bench: {} written", options.output.display());
    Ok(())
}

/// Sends each row with values of its own all of them before anything is measured: the host takes milliseconds for a series
/// that it sees for the first time, and all of them take longer than a measurement.
fn define_all(rows: &[Row], generator: &Generator, envoy: &Envoy) -> Result<()> {
    eprintln!("bench: every set of labels for the first time ...");
    for row in rows.iter().filter(|row| row.request.each.is_some()) {
        generator.run(&Load::new(row)?, DEFINING, &envoy.meter)?;
    }
    Ok(())
}

type Listeners = Vec<(Side, Listener)>;

/// A listener for each side, and the shop as rendered, with the names of statistics that all of them need.
fn listeners(options: &Options, upstreams: [u16; 2], folder: &Path) -> Result<(Listeners, Ours)> {
    let modules = super::modules()?;
    let mut free = envoy::free_ports::<{ Side::ALL.len() }>()?.into_iter();
    let render = |side: Side| {
        let yaml = format!(
            "{}\n---\napiVersion: telemetry.istio.io/v1\nkind: Telemetry\nmetadata: {{name: metrics}}\nspec: {{metrics: \
             [{{overrides: [{}]}}]}}\n",
            include_str!("../../../bench/resources.yaml"),
            side.overrides().join(", ")
        );
        Ours::render(&resources::load(&yaml, upstreams)?, &modules)
    };
    let mut shop = render(Side::Suite)?;
    shop.stats = render(Side::One)?.stats;
    let mut listeners = Vec::new();
    for side in Side::ALL {
        let port = free.next().context("more listeners than ports")?;
        let rendered = render(side)?;
        let asking = |calls: Calls, name: &str| -> Result<Vec<Value>> {
            Ok(rendered.chain([calls.filter(options, folder, name)?]))
        };
        let (filters, generic) = match side {
            Side::Bare => (Vec::new(), false),
            Side::Empty => (vec![empty(options)], false),
            Side::Alone | Side::One | Side::Thousand => (rendered.alone(Module::Metrics)?, false),
            Side::SuiteWithout | Side::Suite | Side::SuiteMessages => {
                (rendered.chain([rendered.suite.clone()]), true)
            }
            Side::AloneCalls => (asking(Calls::metrics(), "metrics")?, false),
            Side::OneCalls | Side::ThousandCalls => {
                let sets = side.values().unwrap_or(1);
                (asking(Calls::metrics_by_team(sets), &format!("metrics-{sets}"))?, false)
            }
            Side::SuiteWithoutCalls => (asking(Calls::suite_without_metrics(), "without")?, true),
            Side::SuiteCalls => (asking(Calls::suite(), "suite")?, true),
        };
        let routes = if generic { Routes::Generic } else { Routes::Native(vec![route_to(ORDERS_V1)]) };
        listeners.push((side, listener(side.name(), port, Policies::default(), &shop, filters, routes)?));
    }
    Ok((listeners, shop))
}

/// A row for each side, and for those with a label another one of the bare listener with the same requests.
fn rows(listeners: &Listeners, folder: &Path) -> Result<Vec<Row>> {
    let bare = listeners.first().context("no listener")?.1.port;
    let mut rows = Vec::new();
    for (side, listener) in listeners {
        let mut request = setting::request("/orders/4711?page=2".to_owned());
        let mut compared = Side::Bare.name().to_owned();
        if let Some(count) = side.values() {
            request.each = Some(values(count, folder)?);
            compared = bare_of(*side);
            if !rows.iter().any(|row: &Row| row.name == compared) {
                rows.push(row(&compared, &compared, bare, request.clone()));
            }
        }
        rows.push(row(side.name(), &compared, listener.port, request));
    }
    Ok(rows)
}

/// The row without a filter that gets the requests of `side`.
fn bare_of(side: Side) -> String {
    match side.values() {
        Some(count) => format!("bare, values: {count}"),
        None => Side::Bare.name().to_owned(),
    }
}

fn row(name: &str, bare: &str, port: u16, request: Request) -> Row {
    let name = name.to_owned();
    Row { name, about: String::new(), port, request, bare: bare.to_owned(), native: bare.to_owned() }
}

/// So many teams, one a line.
fn values(count: usize, folder: &Path) -> Result<Lines> {
    let file = folder.join(format!("{count}.teams"));
    let lines: Vec<_> = (0..count).map(|number| format!("team-{number}")).collect();
    std::fs::write(&file, lines.join("\n") + "\n")?;
    Ok(Lines { header: "x-team", file })
}
