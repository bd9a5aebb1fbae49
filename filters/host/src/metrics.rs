//! Istio's metrics as Envoy stats: each series is defined once and found by its parts from then on.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use outrigger_core::telemetry::{REQUEST_DURATION, REQUESTS_TOTAL, Reporter, Series};

use crate::abi::{self, MetricKind, Status};
use crate::property;
use crate::response::Responses;

thread_local! {
    /// Ids by stat name. They outlive a change of the configuration, and the host makes a new id, for good, each time
    /// a name is defined.
    static DEFINED: RefCell<HashMap<String, u32>> = RefCell::default();
}

/// The stats of one series.
#[derive(Debug, Clone, Copy)]
struct Ids {
    requests: u32,
    duration: u32,
}

/// The metrics of one plugin.
#[derive(Debug)]
pub(crate) struct Metrics {
    reporter: Reporter,
    /// How requests ended.
    pub(crate) responses: Responses,
    // Keys come from the configuration and from verified certificates, so no seed has to guard the hash.
    series: RefCell<HashMap<Series<Rc<str>>, Ids, foldhash::fast::FixedState>>,
    nothing: Rc<str>,
}

impl Metrics {
    pub(crate) fn new(reporter: Reporter) -> Self {
        Self { reporter, responses: Responses::new(), series: RefCell::default(), nothing: "".into() }
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
    pub(crate) fn record(&self, series: Series<Rc<str>>, duration: Duration) -> Result<(), Status> {
        let known = self.series.borrow().get(&series).copied();
        let ids = match known {
            Some(ids) => ids,
            None => {
                let requests = self.reporter.stat_name(REQUESTS_TOTAL, &series);
                let durations = self.reporter.stat_name(REQUEST_DURATION, &series);
                let ids = Ids {
                    requests: define(MetricKind::Counter, requests)?,
                    duration: define(MetricKind::Histogram, durations)?,
                };
                self.series.borrow_mut().insert(series, ids);
                ids
            }
        };
        abi::increment_metric(ids.requests, 1)?;
        abi::record_metric(ids.duration, u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
    }
}

pub(crate) fn define(kind: MetricKind, name: String) -> Result<u32, Status> {
    if let Some(id) = DEFINED.with_borrow(|defined| defined.get(&name).copied()) {
        return Ok(id);
    }
    let id = abi::define_metric(kind, &name)?;
    DEFINED.with_borrow_mut(|defined| defined.insert(name, id));
    Ok(id)
}
