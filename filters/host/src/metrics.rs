//! Istio's metrics as Envoy stats: each series is defined once and found by its parts from then on.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use outrigger_core::telemetry::{Metric, Protocol, Reporter, Series, Service, build};

use crate::abi::{self, MetricKind, Status};
use crate::property;
use crate::response::{Ending, Endings};

thread_local! {
    /// Ids by stat name. They outlive a change of the configuration, and the host makes a new id, for good, each time
    /// a name is defined.
    static DEFINED: RefCell<HashMap<String, u32>> = RefCell::default();
}

/// Where Envoy's gRPC statistics filter leaves how many messages there were: `REQUESTS,RESPONSES`.
const MESSAGES: &[u8] = b"filter_state\0envoy.filters.http.grpc_stats";

/// The stats of one series, by metric; `None`: it is not measured.
type Ids = [Option<u32>; Metric::ALL.len()];

/// The metrics of one plugin.
#[derive(Debug)]
pub(crate) struct Metrics {
    reporter: Reporter,
    /// How requests ended.
    pub(crate) endings: Endings,
    // Keys come from the configuration and from verified certificates, so no seed has to guard the hash.
    series: RefCell<HashMap<Series<Rc<str>>, Ids, foldhash::fast::FixedState>>,
    nothing: Rc<str>,
}

impl Metrics {
    pub(crate) fn new(reporter: Reporter) -> Self {
        let metrics =
            Self { reporter, endings: Endings::new(), series: RefCell::default(), nothing: "".into() };
        if let Err(status) = define(MetricKind::Gauge, build()).and_then(|id| abi::record_metric(id, 1)) {
            log::error!("no metric of the version: {status:?}");
        }
        metrics
    }

    /// What stands in a series for a text that is not known, shared so that no request allocates it.
    pub(crate) fn nothing(&self) -> &Rc<str> {
        &self.nothing
    }

    /// The SPIFFE ID of the other end.
    pub(crate) fn peer(&self) -> Option<Rc<str>> {
        property::text(self.reporter.peer_attribute()?)
    }

    /// Counts one finished request.
    pub(crate) fn record(
        &self,
        series: Series<Rc<str>>,
        ending: &Ending,
        duration: Duration,
    ) -> Result<(), Status> {
        let messages = match series.protocol {
            Protocol::Grpc => messages().unwrap_or_default(),
            Protocol::Http => (0, 0),
        };
        let known = self.series.borrow().get(&series).copied();
        let ids = match known {
            Some(ids) => ids,
            None => {
                let ids = self.define(&series)?;
                self.series.borrow_mut().insert(series, ids);
                ids
            }
        };
        for (metric, id) in Metric::ALL.into_iter().zip(ids) {
            let Some(id) = id else { continue };
            let value = match metric {
                Metric::RequestCount => 1,
                Metric::RequestDuration => u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
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

    /// Has the host make the stats of a series.
    fn define(&self, series: &Series<Rc<str>>) -> Result<Ids, Status> {
        let metadata = property::bytes(b"xds\0cluster_metadata").unwrap_or_default();
        let service = Service::of_metadata(&metadata).unwrap_or_else(|| Service::of_cluster(&series.cluster));
        let mut ids = Ids::default();
        for (metric, id) in Metric::ALL.into_iter().zip(&mut ids) {
            if metric.counts_messages() && series.protocol != Protocol::Grpc {
                continue;
            }
            let kind = if metric.is_histogram() { MetricKind::Histogram } else { MetricKind::Counter };
            *id = Some(define(kind, self.reporter.stat_name(metric, series, &service))?);
        }
        Ok(ids)
    }
}

/// How many messages went up and down; `None`: nobody has counted them.
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
