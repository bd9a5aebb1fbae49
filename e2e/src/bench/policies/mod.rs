//! What authorization costs as policies grow: 1 to 10,000 of several shapes, our filter beside Envoy's own in the same
//! rounds.

mod report;
mod shapes;
mod tunnel;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use envoy_config::modules::Module;
use serde_json::Value;

use self::report::Report;
use self::shapes::Shape;
use self::tunnel::Certificates;
use super::calls::{self, Calls};
use super::configurations::{Row, empty};
use super::envoy::{self, Envoy};
use super::listener::{Listener, Policies, Routes, listener, route_to};
use super::load::Generator;
use super::machine::{Cores, Machine};
use super::native::ORDERS;
use super::options::Options;
use super::ours::Ours;
use super::{bootstrap, probes, resources, rounds};

/// How many policies.
const COUNTS: [usize; 5] = [1, FEW, 100, 1_000, MANY];
/// The same with `--quick`.
const QUICK_COUNTS: [usize; 3] = [1, FEW, MANY];
/// What a set of [`MANY`] is compared with.
const FEW: usize = 10;
/// The largest set.
const MANY: usize = 10_000;
/// The most ports that are needed: each listener may have a tunnel.
const MOST: usize = 2 * (5 + 2 * Shape::ALL.len() * COUNTS.len());

/// What stands on a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    /// Envoy's router alone.
    Bare,
    /// A filter that does nothing.
    Empty,
    /// A filter that reads the path and does nothing with it.
    Path,
    /// Envoy's own filter.
    Native(Shape, usize),
    /// Ours.
    Ours(Shape, usize),
}

impl Side {
    /// Each, with and without certificates.
    fn all(counts: &[usize]) -> impl Iterator<Item = (Self, bool)> {
        let plain = [Self::Bare, Self::Empty, Self::Path].map(|side| (side, false));
        let tls = [Self::Bare, Self::Empty].map(|side| (side, true));
        let each = Shape::ALL.into_iter().flat_map(|shape| counts.iter().map(move |count| (shape, *count)));
        plain.into_iter().chain(tls).chain(each.flat_map(|(shape, count)| {
            let tls = shape.needs_certificate();
            let native = (count <= shape.most_native()).then_some((Self::Native(shape, count), tls));
            native.into_iter().chain([(Self::Ours(shape, count), tls)])
        }))
    }

    /// As its row is called. `tls`: the peer has a certificate; `miss`: no policy allows the request.
    fn row(self, tls: bool, miss: bool) -> String {
        let (tls, miss) = (if tls { " (mTLS)" } else { "" }, if miss { " miss" } else { "" });
        match self {
            Self::Bare => format!("bare{tls}"),
            Self::Empty => format!("empty{tls}"),
            Self::Path => "path".to_owned(),
            Self::Native(shape, count) => format!("native {} {count}{miss}", shape.name()),
            Self::Ours(shape, count) => format!("authz {} {count}{miss}", shape.name()),
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
    let upstreams = envoy::free_ports::<2>()?;
    let counts = counts(options)?;
    let generator = Generator::new(cores.load, options.connections)?;
    let before = Machine::read();
    before.warn_if_busy();
    eprintln!("bench: rendering {} sets of policies ...", Shape::ALL.len() * counts.len());
    let certificates = Certificates::new(folder.path())?;
    let setting = Setting::new(options, &counts, upstreams, &certificates, folder.path())?;
    let upstream = bootstrap::upstream_with(upstreams, setting.tunnels, setting.tunnel_clusters);
    let upstream = Envoy::start("upstream", &upstream, &folder.path().join("upstream"), cores.load)?;
    eprintln!("bench: starting Envoy with {} listeners ...", setting.listeners.len());
    let measured = bootstrap::measured(&setting.listeners, setting.clusters.values(), &setting.any);
    let measured = Envoy::start("measured", &measured, &folder.path().join("measured"), cores.envoy)?;
    for row in &setting.rows {
        let seen = probes::send(row.port, "GET", &row.request)?;
        let expected = if row.request.refused { 403 } else { 200 };
        ensure!(seen.status == Some(expected), "`{}` answers {:?}: {}", row.name, seen.status, seen.body);
    }
    let smallest = counts.first().copied().context("no policies")?;
    let (filter, calls) =
        (Side::Ours(Shape::Exact, smallest).row(false, false), Side::Path.row(false, false));
    calls::check(&measured, &setting.rows, &filter, &calls)?;
    let samples = rounds::measure(&setting.rows, &measured, &generator, options)?;
    drop((measured, upstream));
    let report = Report::new(&counts, &samples, options, before.after())?;
    print!("{}", report.table());
    super::report::add(&options.output, "policies", serde_json::to_value(&report)?)?;
    eprintln!("bench: {} written", options.output.display());
    Ok(())
}

/// How many policies there are in each set, in order.
fn counts(options: &Options) -> Result<Vec<usize>> {
    let mut counts: Vec<usize> = match (options.count.as_slice(), options.quick) {
        ([], true) => QUICK_COUNTS.to_vec(),
        ([], false) => COUNTS.to_vec(),
        (wanted, _) => wanted.iter().map(|count| usize::try_from(*count)).collect::<Result<_, _>>()?,
    };
    counts.sort_unstable();
    counts.dedup();
    ensure!(counts.len() <= COUNTS.len(), "`--count` names more than {} sets", COUNTS.len());
    Ok(counts)
}

/// Everything that is put up.
struct Setting {
    listeners: Vec<Listener>,
    clusters: BTreeMap<String, Value>,
    tunnels: Vec<Value>,
    tunnel_clusters: Vec<Value>,
    rows: Vec<Row>,
    /// What is rendered alike for all.
    any: Ours,
}

impl Setting {
    fn new(
        options: &Options,
        counts: &[usize],
        upstreams: [u16; 2],
        certificates: &Certificates,
        folder: &Path,
    ) -> Result<Self> {
        let modules = super::modules()?;
        let render =
            |shape: Shape, count| Ours::render(&resources::load(&shape.yaml(count), upstreams)?, &modules);
        let mut ports = envoy::free_ports::<MOST>()?.into_iter();
        let mut port = || ports.next().context("more listeners than ports");
        let any = render(Shape::Exact, 1)?;
        let mut setting = Self {
            listeners: Vec::new(),
            clusters: BTreeMap::new(),
            tunnels: Vec::new(),
            tunnel_clusters: Vec::new(),
            rows: Vec::new(),
            any: any.clone(),
        };
        let clusters = any.clusters.iter().map(|cluster| (cluster["name"].to_string(), cluster.clone()));
        setting.clusters.extend(clusters);
        for (side, tls) in Side::all(counts) {
            let filters = match side {
                Side::Bare => Vec::new(),
                Side::Empty => vec![empty(options)],
                Side::Path => vec![Calls::path().filter(options, folder, "path")?],
                Side::Native(shape, count) => vec![shape.native(count)],
                Side::Ours(shape, count) => render(shape, count)?.alone(Module::Authz)?,
            };
            let name = side.row(tls, false).replace(' ', "-");
            let routes = Routes::Native(vec![route_to(ORDERS)]);
            let mut made = listener(&name, port()?, Policies::default(), &any, filters, routes)?;
            let mut entrance = made.port;
            if tls {
                certificates.guard(&mut made.config)?;
                entrance = port()?;
                let (listener, cluster) = certificates.tunnel(entrance, made.port);
                setting.tunnels.push(listener);
                setting.tunnel_clusters.push(cluster);
            }
            setting.listeners.push(made);
            setting.rows.extend(rows(side, tls, entrance));
        }
        Ok(setting)
    }
}

/// What the last policy allows is asked for; where it can be, also what none does: that looks at all of them.
fn rows(side: Side, tls: bool, port: u16) -> Vec<Row> {
    let row = |request, miss| Row {
        name: side.row(tls, miss),
        about: String::new(),
        port,
        request,
        bare: Side::Bare.row(tls, false),
        native: Side::Bare.row(tls, false),
    };
    let (shape, count) = match side {
        Side::Native(shape, count) | Side::Ours(shape, count) => (shape, count),
        Side::Bare | Side::Empty | Side::Path => (Shape::Exact, 1),
    };
    let mut rows = vec![row(shape.request(count - 1), false)];
    if matches!(side, Side::Ours(..)) && [FEW, MANY].contains(&count) && shape.can_miss() {
        let mut request = shape.request(count);
        request.refused = true;
        rows.push(row(request, true));
    }
    rows
}
