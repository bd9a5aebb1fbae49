//! Istio's metrics as Envoy stats: each series is defined once and found by its parts from then on.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

use outrigger_core::route::PASSTHROUGH_CLUSTER;
use outrigger_core::telemetry::{Expression, Metric, Protocol, Reporter, Series, Service, build, to_text};

use crate::abi::{self, MetricKind, Status};
use crate::compiled::Compiled;
use crate::destinations::Destinations;
use crate::ending::{Ending, Endings};
use crate::peers::Peers;
use crate::property;
use crate::room::Room;
use crate::series::{Ids, KnownSeries};

thread_local! {
    /// Ids by stat name. They outlive a change of the configuration, and the host makes a new id, for good, each time
    /// a name is defined.
    static DEFINED: RefCell<HashMap<String, u32>> = RefCell::default();
}

/// In a millisecond, the unit of durations in Istio's metrics.
const NANOSECONDS: u64 = 1_000_000;

/// Where Envoy's gRPC statistics filter leaves how many messages there were: `REQUESTS,RESPONSES`.
const MESSAGES: &[u8] = b"filter_state\0envoy.filters.http.grpc_stats";

/// How the value of a label is got.
#[derive(Debug)]
enum Value {
    /// An attribute, by its path.
    Attribute(Vec<u8>),
    /// An expression.
    Compiled(Compiled),
}

/// The metrics of one plugin.
#[derive(Debug)]
pub(crate) struct Metrics {
    pub(crate) reporter: Reporter,
    pub(crate) peers: Peers,
    /// How requests ended.
    pub(crate) endings: Endings,
    values: Vec<Value>,
    room: Room,
    series: KnownSeries,
    /// The series of what there is no room for, of HTTP and of gRPC.
    overflow: [Cell<Option<Ids>>; 2],
    nothing: Arc<str>,
}

impl Metrics {
    /// Metrics of at most `most` series each. `seed`: a random number.
    ///
    /// # Errors
    /// What the host can't do.
    pub(crate) fn new(reporter: Reporter, most: u32, seed: u64) -> Result<Self, String> {
        let room = Room::new(most, seed).map_err(|status| format!("no metrics: {status:?}"))?;
        let values = reporter.overrides().expressions().iter().map(compile).collect::<Result<_, _>>()?;
        let metrics = Self {
            peers: Peers::new(reporter.local(), room.hasher()),
            // Only a client knows its endpoints.
            endings: Endings::new(Destinations::new(!reporter.is_destination(), room.hasher())),
            reporter,
            values,
            series: KnownSeries::new(usize::try_from(most).unwrap_or(usize::MAX), room.hasher()),
            room,
            overflow: Default::default(),
            nothing: "".into(),
        };
        define(MetricKind::Gauge, build())
            .and_then(|id| abi::record_metric(id, 1))
            .map_err(|status| format!("no metric of the version: {status:?}"))?;
        Ok(metrics)
    }

    /// The values of labels that are read anew for each request.
    pub(crate) fn values(&self) -> Vec<Arc<str>> {
        let value = |value: &Value| {
            let bytes = match value {
                Value::Attribute(path) => property::bytes(path),
                Value::Compiled(expression) => expression.evaluate().ok(),
            };
            bytes.map_or_else(|| Arc::clone(&self.nothing), |bytes| to_text(&bytes).into())
        };
        self.values.iter().map(value).collect()
    }

    /// What stands in a series for a text that is not known, shared so that no request allocates it.
    pub(crate) fn nothing(&self) -> &Arc<str> {
        &self.nothing
    }

    /// The SPIFFE ID of the other end.
    pub(crate) fn peer(&self) -> Option<Arc<str>> {
        property::text(self.reporter.peer_attribute()?)
    }

    /// Counts one finished request.
    pub(crate) fn record(
        &self,
        series: Series<Arc<str>>,
        ending: &Ending,
        entry_namespace: impl Fn(&str) -> Option<String>,
    ) -> Result<(), Status> {
        let messages = match series.protocol {
            Protocol::Grpc => messages().unwrap_or_default(),
            Protocol::Http => (0, 0),
        };
        let ids = match self.series.get(series) {
            Ok(ids) => ids,
            Err(new) if self.room.has(&new)? => {
                let ids = self.define(&new, entry_namespace)?;
                self.series.insert(new, ids);
                ids
            }
            Err(one_too_many) => self.overflow(one_too_many.protocol)?,
        };
        for (metric, id) in Metric::ALL.iter().zip(&ids) {
            let Some(id) = *id else { continue };
            let value = match metric {
                Metric::RequestCount => 1,
                Metric::RequestDuration => ending.nanoseconds / NANOSECONDS,
                Metric::RequestSize => ending.request_size,
                Metric::ResponseSize => ending.response_size,
                Metric::GrpcRequestMessages => messages.0,
                Metric::GrpcResponseMessages => messages.1,
            };
            if metric.is_histogram() {
                abi::record_metric(id, value)?;
            } else if value > 0 {
                abi::increment_metric(id, i64::try_from(value).unwrap_or(i64::MAX))?;
            }
        }
        Ok(())
    }

    /// Has the host make the stats of a series. Kept out of the way of those that it has.
    #[inline(never)]
    fn define(
        &self,
        series: &Series<Arc<str>>,
        entry_namespace: impl Fn(&str) -> Option<String>,
    ) -> Result<Ids, Status> {
        let metadata = property::bytes(b"xds\0cluster_metadata").unwrap_or_default();
        // A request that is refused comes to no cluster.
        let service = Service::of_metadata(&metadata).unwrap_or_else(|| {
            // A listener passes all of them through or none, by its last route: the series need not tell them apart.
            let blocked = &*series.cluster == PASSTHROUGH_CLUSTER && is_blocked();
            let service = Service::of_cluster(if blocked { BLACK_HOLE } else { &series.cluster });
            match entry_namespace(&service.host) {
                Some(namespace) => service.of_entry(namespace),
                None => service,
            }
        });
        self.define_all(series.protocol, |metric| self.reporter.stat_name(metric, series, &service))
    }

    /// The stats of what there is no room for.
    #[inline(never)]
    fn overflow(&self, protocol: Protocol) -> Result<Ids, Status> {
        let [http, grpc] = &self.overflow;
        let known = if protocol == Protocol::Grpc { grpc } else { http };
        if let Some(ids) = known.get() {
            return Ok(ids);
        }
        let ids = self.define_all(protocol, |metric| self.reporter.overflow_name(metric))?;
        known.set(Some(ids));
        Ok(ids)
    }

    fn define_all(&self, protocol: Protocol, name: impl Fn(Metric) -> String) -> Result<Ids, Status> {
        let mut ids = Ids::default();
        for (metric, id) in Metric::ALL.into_iter().zip(&mut ids) {
            let occurs = !metric.counts_messages() || protocol == Protocol::Grpc;
            if occurs && self.reporter.overrides().measures(metric) {
                let kind = if metric.is_histogram() { MetricKind::Histogram } else { MetricKind::Counter };
                *id = Some(define(kind, name(metric))?);
            }
        }
        Ok(ids)
    }
}

/// Has the host compile what it has to evaluate.
fn compile(expression: &Expression) -> Result<Value, String> {
    match expression {
        Expression::Attribute(path) => Ok(Value::Attribute(path.clone())),
        Expression::Literal(text) | Expression::Cel(text) => {
            let compiled = Compiled::new(text);
            compiled.map(Value::Compiled).map_err(|_| format!("Telemetry: `{text}` is no CEL expression"))
        }
    }
}

/// Istio's name for where requests end that may not pass.
const BLACK_HOLE: &str = "BlackHoleCluster";

/// Whether the request was for a host that nobody declares, where that is not allowed.
fn is_blocked() -> bool {
    property::bytes(b"xds\0route_name").is_some_and(|name| *name == *b"block_all")
}

/// How many messages of gRPC went up and down; `None`: nobody has counted them.
#[inline(never)]
fn messages() -> Option<(u64, u64)> {
    let text = property::text(MESSAGES)?;
    let (requests, responses) = text.split_once(',')?;
    Some((requests.parse().ok()?, responses.parse().ok()?))
}

pub(crate) fn define(kind: MetricKind, name: String) -> Result<u32, Status> {
    if let Some(id) = DEFINED.with_borrow(|defined| defined.get(&name).copied()) {
        return Ok(id);
    }
    let id = abi::define_metric(kind, &name)?;
    DEFINED.with_borrow_mut(|defined| defined.insert(name, id));
    Ok(id)
}
