//! What the metrics of a request need of it, gathered on its way.

use std::sync::Arc;
use std::time::Duration;

use outrigger_core::request::{HeaderLine, is_grpc};
use outrigger_core::telemetry::{METADATA, Protocol, ResponseFlags, Series, Workload};

use crate::abi::{self, Map};
use crate::destinations::Way;
use crate::ending::Ending;
use crate::metrics::Metrics;
use crate::{peers, property};

/// What the metrics of a request need of it.
#[derive(Debug, Clone)]
pub(crate) struct Measured {
    protocol: Protocol,
    /// The cluster that was chosen, if a filter of ours has.
    pub(crate) cluster: Option<Arc<str>>,
    /// It went on to there at once.
    pub(crate) sent: bool,
    /// A filter of ours has answered it, so that it went nowhere.
    pub(crate) answered: bool,
    /// The wall clock when it was decided, if that took one.
    pub(crate) decided: Option<Duration>,
    /// What the other end has said of itself.
    peer: Option<Arc<Workload>>,
}

impl Measured {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self {
            protocol: Protocol::Http,
            cluster: None,
            sent: false,
            answered: false,
            decided: None,
            peer: None,
        }
    }

    /// Nobody has read the request's headers.
    pub(crate) fn ask_protocol(&mut self) {
        if abi::header(Map::Request, b"content-type").is_ok_and(|value| is_grpc(&value)) {
            self.protocol = Protocol::Grpc;
        }
    }

    /// The request's headers are there, and nobody needs them but the metrics: asking for single ones costs half of what all
    /// of them do.
    pub(crate) fn on_request(&mut self, metrics: &Metrics) {
        self.ask_protocol();
        if metrics.reporter.is_destination() {
            self.peer = peers::take(Map::Request).map(|told| metrics.peers.of_header(&told));
        }
    }

    /// The request's headers are there, and have been read.
    pub(crate) fn on_headers(&mut self, lines: &[HeaderLine<'_>], grpc: bool, metrics: &Metrics) {
        if grpc {
            self.protocol = Protocol::Grpc;
        }
        if metrics.reporter.is_destination()
            && let Some((_, told)) = lines.iter().find(|(name, _)| *name == METADATA.as_bytes())
        {
            self.peer = Some(metrics.peers.of_header(told));
            // It is not for the application.
            peers::remove(Map::Request);
        }
    }

    /// The response's headers are there.
    pub(crate) fn on_response(&mut self, metrics: &Metrics) {
        if !metrics.reporter.is_destination() {
            self.peer = peers::take(Map::Response).map(|told| metrics.peers.of_header(&told));
        } else if self.peer.is_some()
            && let Err(status) = metrics.peers.answer()
        {
            log::error!("the peer is not told of this workload: {status:?}");
        }
    }

    /// Counts the request, which has ended. `injected`: flags that Envoy does not know of.
    pub(crate) fn on_log(
        &self,
        metrics: &Metrics,
        injected: impl FnOnce(&Ending) -> ResponseFlags,
        entry_namespace: impl Fn(&str) -> Option<String>,
    ) {
        if !metrics.reporter.overrides().measures_any() {
            return;
        }
        let way = Way {
            sent_to: self.cluster.as_ref().filter(|_| self.sent),
            peer: self.peer.as_ref(),
            now: self.decided,
        };
        let ending = metrics.endings.read(&metrics.peers, way);
        let series = self.series(metrics, &ending, injected(&ending));
        if let Err(status) = metrics.record(series, &ending, entry_namespace) {
            log::error!("metric not recorded: {status:?}");
        }
    }

    /// The series of the finished request.
    fn series(&self, metrics: &Metrics, ending: &Ending, injected: ResponseFlags) -> Series<Arc<str>> {
        let unknown = metrics.nothing();
        let destination = ending.destination.as_ref();
        let cluster = destination.map(|destination| &destination.cluster).or(self.cluster.as_ref());
        let cluster = cluster
            .map(Arc::clone)
            .or_else(|| if self.answered { None } else { property::text(b"xds\0cluster_name") })
            .unwrap_or_else(|| Arc::clone(unknown));
        let grpc_status = match self.protocol {
            Protocol::Grpc => property::integer(b"response\0grpc_status"),
            Protocol::Http => None,
        };
        let configured = || destination.map_or(metrics.peers.unknown(), |destination| &destination.workload);
        let peer = Arc::clone(self.peer.as_ref().unwrap_or_else(configured));
        Series {
            cluster,
            peer_principal: metrics.peer().unwrap_or_else(|| Arc::clone(unknown)),
            peer,
            protocol: self.protocol,
            response_code: ending.code,
            grpc_status,
            flags: ending.flags.with(injected),
            values: metrics.values(),
        }
    }
}
