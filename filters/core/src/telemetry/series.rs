//! A series: everything that tells one finished request from another in the metrics.

use std::sync::Arc;

use super::flags::ResponseFlags;
use super::workload::Workload;

/// Value of the label `request_protocol`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// Plain HTTP.
    Http,
    /// gRPC, by the request's content type.
    Grpc,
}

/// What the labels of one request depend on. Small and hashable, so that the host finds the metric of a repeated
/// series without building its name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Series<S> {
    /// Envoy's cluster name (`outbound|8000|v1|httpbin.default.svc.cluster.local`); empty if no cluster was chosen.
    pub cluster: S,
    /// The peer's SPIFFE ID with its scheme; empty if it has none.
    pub peer_principal: S,
    /// What the other end has said of itself, or the configuration of it.
    pub peer: Arc<Workload>,
    /// The protocol.
    pub protocol: Protocol,
    /// Response status; 0 if there was no response.
    pub response_code: u16,
    /// gRPC status of a gRPC response.
    pub grpc_status: Option<i64>,
    /// Response flags.
    pub flags: ResponseFlags,
    /// The values of [`super::Overrides::expressions`], in their order; empty where there is none.
    pub values: Vec<S>,
}
