//! A collector of logs and traces, which speaks OTLP by gRPC and by HTTP, Zipkin's API, and Envoy's access log service.

mod als;
mod http;
mod otlp;
mod zipkin;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

pub use als::Entry;

/// Until what Envoy has sent is here: it keeps spans for up to five seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// A part of a request's way, whichever way it was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The trace's id, in hexadecimal.
    pub trace: String,
    /// Its own.
    pub id: String,
    /// That of the span it is a part of; empty: none.
    pub parent: String,
    /// Its name.
    pub name: String,
    /// `CLIENT` or `SERVER`.
    pub kind: &'static str,
    /// The `service.name` of whoever told it.
    pub service: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// A line of a log by OTLP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its text.
    pub body: String,
    /// Its attributes.
    pub attributes: BTreeMap<String, String>,
    /// The trace that it belongs to.
    pub trace: String,
}

type Shared = Arc<Mutex<Heard>>;

/// Changes what was heard.
fn note(heard: &Shared, change: impl FnOnce(&mut Heard)) {
    change(&mut heard.lock().unwrap_or_else(PoisonError::into_inner));
}

/// Everything that was told.
#[derive(Debug, Default)]
struct Heard {
    spans: Vec<Span>,
    lines: Vec<Line>,
    entries: Vec<Entry>,
    /// Paths that were asked for, and headers with them.
    requests: Vec<(String, BTreeMap<String, String>)>,
    /// What could not be read.
    unreadable: Vec<String>,
}

/// A running collector; it ends with this value.
pub struct Collector {
    /// Where it takes OTLP by gRPC.
    pub grpc: u16,
    /// Where it takes OTLP and Zipkin's spans by HTTP, and Envoy's access log service.
    pub http: u16,
    heard: Shared,
    _runtime: tokio::runtime::Runtime,
}

impl Collector {
    /// Starts one on free ports of the loopback interface.
    ///
    /// # Errors
    /// A port can't be opened.
    pub fn start() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let heard = Arc::new(Mutex::new(Heard::default()));
        let grpc = otlp::serve(&runtime, Arc::clone(&heard))?;
        let http = http::serve(&runtime, Arc::clone(&heard))?;
        Ok(Self { grpc, http, heard, _runtime: runtime })
    }

    fn heard<T>(&self, look: impl FnOnce(&Heard) -> T) -> T {
        look(&self.heard.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The spans of one trace, once there are `number` of them.
    ///
    /// # Errors
    /// There are others, or not so many in time.
    pub fn trace(&self, number: usize, belongs: impl Fn(&Span) -> bool) -> Result<Vec<Span>> {
        self.wait("spans", |heard| {
            let traces: BTreeSet<_> =
                heard.spans.iter().filter(|span| belongs(span)).map(|span| span.trace.clone()).collect();
            let all: Vec<_> =
                heard.spans.iter().filter(|span| traces.contains(&span.trace)).cloned().collect();
            (all.len() >= number).then_some(all)
        })
    }

    /// All spans so far.
    #[must_use]
    pub fn spans(&self) -> Vec<Span> {
        self.heard(|heard| heard.spans.clone())
    }

    /// The lines, once there are `number` of them.
    ///
    /// # Errors
    /// Not in time.
    pub fn lines(&self, number: usize) -> Result<Vec<Line>> {
        self.wait("lines", |heard| (heard.lines.len() >= number).then(|| heard.lines.clone()))
    }

    /// The entries of Envoy's access log service, once there are `number` of them.
    ///
    /// # Errors
    /// Not in time.
    pub fn entries(&self, number: usize) -> Result<Vec<Entry>> {
        self.wait("entries", |heard| (heard.entries.len() >= number).then(|| heard.entries.clone()))
    }

    /// The requests to a path, with their headers.
    #[must_use]
    pub fn requests(&self, path: &str) -> Vec<BTreeMap<String, String>> {
        self.heard(|heard| {
            let found = heard.requests.iter().filter(|(asked, _)| asked == path);
            found.map(|(_, headers)| headers.clone()).collect()
        })
    }

    fn wait<T>(&self, what: &str, look: impl Fn(&Heard) -> Option<T>) -> Result<T> {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = self.heard(&look) {
                return Ok(found);
            }
            if Instant::now() > end {
                let told = self.heard(|heard| format!("{heard:#?}"));
                return Err(anyhow::anyhow!("{told}")).with_context(|| format!("too few {what}"));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Ids, as people write them.
fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
