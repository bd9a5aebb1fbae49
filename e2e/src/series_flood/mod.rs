//! A flood of requests of which each would make series of its own: random paths, hosts, user agents and values of a header,
//! all of them labels by a Telemetry. The series have to stay under their bound, the memory flat from there on, and every
//! answer right.

mod memory;
pub mod options;
mod proxy;
mod requests;

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use crate::metrics::{self, Exposition};
use options::Options;
use proxy::Proxy;

/// Requests of one and the same set of labels before the flood, so that whatever is made once is there.
const WARM_UP: u64 = 2_000;

/// Envoy counts into histograms every five seconds, and makes their memory then.
const SETTLE: Duration = Duration::from_secs(7);

/// How much the memory may grow after the bound is reached, whatever the number of requests: what allocators keep.
const SLACK: u64 = 24 << 20;

/// Envoy's threads, of which two may find room for the same set of labels, or the last room, at the same moment.
const WORKERS: u64 = 2;

/// More series than that are only counted.
const MANY: u64 = 1_000;

/// What came of it.
#[derive(Debug, Clone)]
pub struct Report {
    /// How many requests were sent, each of them answered as it should be.
    pub requests: u64,
    /// The bound of the series.
    pub most: u64,
    /// Sets of labels of `istio_requests_total` in the end, those that stand for the rest among them.
    pub series: u64,
    /// Requests that the rest counts.
    pub folded: u64,
    /// Memory that Envoy has in use before the flood, when the bound is reached, after half of what is left, in the end,
    /// and after a scrape, in bytes.
    pub memory: [u64; 5],
    /// The page that a scrape gets in the end: its length, and how long it takes.
    pub page: (u64, Duration),
    /// Requests a second, with a client on the same machine.
    pub rate: f64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [before, bound, half, end, scraped] = self.memory.map(|bytes| bytes as f64 / f64::from(1 << 20));
        writeln!(f, "{} requests, {:.0} a second, every answer right", self.requests, self.rate)?;
        writeln!(
            f,
            "{} series of istio_requests_total, the bound is {}; {} requests counted as overflow",
            self.series, self.most, self.folded
        )?;
        writeln!(
            f,
            "memory of Envoy: {before:.1} MiB before, {bound:.1} at the bound, {half:.1} after half of the rest, {end:.1} in the end, \
             {scraped:.1} after a scrape"
        )?;
        let (length, took) = self.page;
        write!(f, "a scrape: {:.1} MB in {:.2} s", length as f64 / 1e6, took.as_secs_f64())
    }
}

/// Floods a gateway.
///
/// # Errors
/// A wrong answer, or series, counts or memory that are not as they have to be.
pub fn run(options: &Options) -> Result<Report> {
    ensure!(options.requests > 4 * options.most, "fewer requests than it takes to be far beyond the bound");
    let proxy = Proxy::start(options)?;
    let flood = requests::Flood::new(&proxy, options);
    flood.same(WARM_UP)?;
    std::thread::sleep(SETTLE);
    let before = proxy.memory()?;

    let started = Instant::now();
    // Some sets of labels are drawn twice.
    let first = options.most + options.most / 10;
    flood.random(0..first)?;
    let mut took = started.elapsed();
    std::thread::sleep(SETTLE);
    let at_bound = proxy.memory()?;
    let middle = first + (options.requests - first) / 2;
    let mut memory = vec![before, at_bound];
    for part in [first..middle, middle..options.requests] {
        let started = Instant::now();
        flood.random(part)?;
        took += started.elapsed();
        std::thread::sleep(SETTLE);
        memory.push(proxy.memory()?);
    }

    let started = Instant::now();
    let page = (metrics::page_length(&proxy.admin)?, started.elapsed());
    memory.push(proxy.memory()?);
    // Of many series the histograms are too long to be kept here.
    let wanted = if options.most > MANY { "istio_requests_total|outrigger_" } else { "istio_|outrigger_" };
    let read: Exposition = metrics::page_of(&proxy.admin, wanted)?.parse()?;
    let report = Report {
        requests: options.requests,
        most: options.most,
        series: check_series(&read, options.most, options.requests + WARM_UP)?,
        folded: single(&read, "outrigger_metric_series_overflow")?,
        memory: memory.try_into().map_err(|_| anyhow::anyhow!("not five measurements"))?,
        page,
        rate: options.requests as f64 / took.as_secs_f64(),
    };
    let sets = single(&read, "outrigger_metric_series")?;
    let right = options.most..=options.most + WORKERS;
    ensure!(right.contains(&sets), "{sets} sets of labels are counted\n{report}");
    ensure!(
        report.folded == options.requests + WARM_UP - counted_by_themselves(&read),
        "what is folded does not add up\n{report}"
    );
    let [_, at_bound, half, end, _] = report.memory;
    ensure!(half <= at_bound + SLACK && end <= at_bound + SLACK, "the memory grows\n{report}");
    Ok(report)
}

/// How many series `istio_requests_total` has, after a look at all of Istio's metrics.
fn check_series(page: &Exposition, most: u64, sent: u64) -> Result<u64> {
    let mut counted = 0;
    for (name, family) in page.families.iter().filter(|(name, _)| name.starts_with("istio_request")) {
        let whole = |name: &str| !name.ends_with("_bucket") && !name.ends_with("_sum");
        let samples: Vec<_> = family.samples.iter().filter(|sample| whole(&sample.name)).collect();
        let total: f64 = samples.iter().map(|sample| sample.value).sum();
        ensure!(total == sent as f64, "{name} counts {total} of {sent} requests");
        // One more stands for the rest.
        let series = samples.len() as u64;
        ensure!(series <= most + WORKERS, "{name} has {series} series, the bound is {most}");
        if name == "istio_requests_total" {
            counted = series;
        }
    }
    ensure!(counted > 0, "there is no istio_requests_total");
    Ok(counted)
}

/// Requests in series of their own.
fn counted_by_themselves(page: &Exposition) -> u64 {
    let samples = page.families.get("istio_requests_total").map(|family| family.samples.as_slice());
    let own =
        samples.unwrap_or_default().iter().filter(|sample| sample.label("response_code") != Some("overflow"));
    own.map(|sample| sample.value as u64).sum()
}

/// The value of a metric without labels.
fn single(page: &Exposition, name: &str) -> Result<u64> {
    let sample = page.families.get(name).and_then(|family| family.samples.first());
    Ok(sample.with_context(|| format!("there is no {name}"))?.value as u64)
}
