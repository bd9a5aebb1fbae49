//! What routing costs as the table grows: 10 to 10,000 rules of several shapes, ours beside Envoy's own in the same
//! rounds, and what a table takes before the first request.

mod footprint;
mod report;
mod shapes;

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use envoy_config::modules::Module;
use serde_json::Value;

use self::footprint::{Footprint, Started};
use self::report::Report;
use self::shapes::Shape;
use super::configurations::Row;
use super::envoy::{self, Envoy};
use super::listener::{Listener, Policies, Routes, listener};
use super::load::Generator;
use super::machine::{Cores, Machine};
use super::options::Options;
use super::ours::Ours;
use super::{bootstrap, probes, rounds};

/// How many rules; the first and the last are compared.
const COUNTS: [usize; 4] = [10, 100, 1_000, 10_000];
/// The same with `--quick`.
const QUICK_COUNTS: [usize; 2] = [10, 10_000];
/// The most listeners that there can be.
const MOST: usize = 1 + Side::ALL.len() * Shape::ALL.len() * COUNTS.len();

/// Who carries a table out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    /// Ours, which also counts every request.
    Suite,
    /// Our filter that routes and does nothing else, as Envoy's routes do.
    Router,
    /// Envoy's own.
    Native,
}

impl Side {
    const ALL: [Self; 3] = [Self::Suite, Self::Router, Self::Native];

    fn name(self) -> &'static str {
        match self {
            Self::Suite => "suite",
            Self::Router => "router",
            Self::Native => "native",
        }
    }
}

/// A table on one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Table {
    shape: Shape,
    count: usize,
    side: Side,
}

impl Table {
    fn row(self, miss: bool) -> String {
        let side = self.side.name();
        format!("{side} {} {}{}", self.shape.name(), self.count, if miss { " miss" } else { "" })
    }
}

/// The tables, on listeners of one Envoy.
struct Tables {
    listeners: Vec<(Option<Table>, Listener)>,
    clusters: Vec<Value>,
    /// As rendered: feature flags and names of statistics.
    ours: Ours,
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
    let counts: &[usize] = if options.quick { &QUICK_COUNTS } else { &COUNTS };
    let generator = Generator::new(cores.load, options.connections)?;
    let before = Machine::read();
    before.warn_if_busy();
    eprintln!("bench: rendering {} routing tables ...", Side::ALL.len() * Shape::ALL.len() * counts.len());
    let tables = Tables::new(counts, ports)?;
    let start = |name: &str, listeners: &[&Listener]| -> (Value, PathBuf) {
        (tables.bootstrap(listeners), folder.path().join(name))
    };
    let footprints = tables.footprints(counts, |table, listener| {
        let (bootstrap, folder) = start(&table.row(false).replace(' ', "-"), &[listener]);
        footprint::start(&bootstrap, &folder, cores.envoy)
    })?;
    let all: Vec<_> = tables.listeners.iter().map(|(_, listener)| listener).collect();
    eprintln!("bench: starting Envoy with {} listeners ...", all.len());
    let (bootstrap, place) = start("measured", &all);
    let measured = Envoy::start("measured", &bootstrap, &place, cores.envoy)?;
    let rows = tables.rows(counts);
    for row in &rows {
        let seen = probes::send(row.port, "GET", &row.request)?;
        ensure!(seen.status == Some(200), "`{}` answers {:?}: {}", row.name, seen.status, seen.body);
    }
    let samples = rounds::measure(&rows, &measured, &generator, options)?;
    drop((measured, upstream));
    let report = Report::new(counts, &samples, &footprints, options, before.after())?;
    print!("{}", report.table());
    super::report::add(&options.output, "routes", serde_json::to_value(&report)?)?;
    eprintln!("bench: {} written", options.output.display());
    Ok(())
}

impl Tables {
    fn new(counts: &[usize], upstreams: [u16; 2]) -> Result<Self> {
        let modules = super::modules()?;
        let render = |shape: Shape, count| Ours::render(&shape.resources(count, upstreams)?, &modules);
        let mut tables = Self { listeners: Vec::new(), clusters: Vec::new(), ours: render(Shape::Exact, 1)? };
        tables.clusters.clone_from(&tables.ours.clusters);
        let mut ports = envoy::free_ports::<MOST>()?.into_iter();
        let mut port = || ports.next().context("more listeners than ports");
        let none = Policies::default();
        let bare = Routes::Native(vec![super::listener::route_to(super::native::ORDERS)]);
        tables.listeners.push((None, listener("bare", port()?, none, &tables.ours, Vec::new(), bare)?));
        for (shape, count) in Shape::ALL.into_iter().flat_map(|shape| counts.iter().map(move |n| (shape, *n)))
        {
            let rendered = render(shape, count)?;
            for side in Side::ALL {
                let (filters, routes) = match side {
                    Side::Suite => (rendered.chain([rendered.suite.clone()]), Routes::Generic),
                    Side::Router => (rendered.alone(Module::Router)?, Routes::Generic),
                    Side::Native => (Vec::new(), Routes::NativeHosts(shape.virtual_hosts(count))),
                };
                let table = Table { shape, count, side };
                let name = table.row(false).replace(' ', "-");
                let listener = listener(&name, port()?, none, &rendered, filters, routes)?;
                tables.listeners.push((Some(table), listener));
            }
        }
        Ok(tables)
    }

    fn bootstrap(&self, listeners: &[&Listener]) -> Value {
        bootstrap::measured(listeners.iter().copied(), &self.clusters, &self.ours)
    }

    /// Each table is asked for its last rule, the smallest and the largest also for none.
    fn rows(&self, counts: &[usize]) -> Vec<Row> {
        let mut rows = Vec::new();
        for (table, listener) in &self.listeners {
            let mut row = |name: String, request| {
                let (about, bare, native) = (String::new(), "bare".to_owned(), "bare".to_owned());
                rows.push(Row { name, about, port: listener.port, request, bare, native });
            };
            let Some(table) = table else {
                row("bare".to_owned(), Shape::Exact.request(0));
                continue;
            };
            row(table.row(false), table.shape.request(table.count.saturating_sub(1)));
            let end = [counts.first(), counts.last()].contains(&Some(&table.count));
            if end && table.side == Side::Suite {
                row(table.row(true), table.shape.request(table.count));
            }
        }
        rows
    }

    /// What the largest table of each shape and side takes above the smallest.
    fn footprints(
        &self,
        counts: &[usize],
        start: impl Fn(Table, &Listener) -> Result<Started>,
    ) -> Result<Vec<(Shape, Side, Footprint)>> {
        let (Some(least), Some(most)) = (counts.first(), counts.last()) else { return Ok(Vec::new()) };
        let of = |table: Table| {
            let found = self.listeners.iter().find(|(own, _)| *own == Some(table));
            start(table, &found.context("a table without a listener")?.1)
        };
        let mut footprints = Vec::new();
        for side in [Side::Suite, Side::Native] {
            // Ten rules of one shape or another make no difference.
            let small = of(Table { shape: Shape::Exact, count: *least, side })?;
            for shape in Shape::ALL {
                eprintln!("bench: starting Envoy with {} rules: {}", most, shape.name());
                let large = of(Table { shape, count: *most, side })?;
                let footprint = Footprint::between(small, large, most - least, side == Side::Suite);
                footprints.push((shape, side, footprint));
            }
        }
        Ok(footprints)
    }
}
