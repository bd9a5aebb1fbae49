//! Servers that logs and traces are sent to.

use std::env;
use std::time::Duration;

use outrigger_api::Resource;
use outrigger_api::types::telemetry_provider::{Collector, HeaderSource, ProviderHeader};

use super::authz::{Server, destination, reachable};
use crate::envoy::grpc::{EnvoyGrpc, GrpcService, HttpService, HttpUri};
use crate::envoy::http::{HeaderValue, HeaderValueOption};
use crate::envoy::scalars::Seconds;

/// How long an answer may take if nobody says it. Envoy wants to be told.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Those that a listener needs.
#[derive(Debug)]
pub(super) struct Collectors<'c> {
    /// All resources.
    pub(super) resources: &'c [Resource],
    /// Ending of the names of services.
    pub(super) domain: &'c str,
    /// Those that are needed.
    pub(super) servers: Vec<Server>,
}

impl Collectors<'_> {
    /// One more. `None`: nothing says where it is.
    pub(super) fn add(&mut self, collector: &Collector, grpc: bool) -> Option<()> {
        reachable(self.resources, self.domain, &collector.service, collector.port).ok()?;
        let destination = destination(&collector.service, collector.port);
        self.servers.push(Server { destination, grpc });
        Some(())
    }
}

/// A collector that is spoken to by gRPC.
pub(super) fn grpc_service(
    collector: &Collector,
    timeout: Option<Duration>,
    initial_metadata: Vec<HeaderValue>,
) -> GrpcService {
    let server = Server { destination: destination(&collector.service, collector.port), grpc: true };
    let envoy_grpc = EnvoyGrpc { cluster_name: server.cluster_name(), authority: server.destination.host };
    GrpcService { envoy_grpc, timeout: timeout.map(Seconds), initial_metadata }
}

/// A collector that is spoken to by HTTP.
pub(super) fn http_service(
    collector: &Collector,
    path: &str,
    timeout: Option<Duration>,
    headers: &[ProviderHeader],
) -> HttpService {
    let to = destination(&collector.service, collector.port);
    let slash = if path.starts_with('/') { "" } else { "/" };
    HttpService {
        http_uri: HttpUri {
            uri: format!("http://{}{slash}{path}", to.host),
            cluster: to.cluster_name(),
            timeout: Seconds(timeout.unwrap_or(TIMEOUT)),
        },
        request_headers_to_add: values(headers)
            .map(|HeaderValue { key, value }| HeaderValueOption::set(key, value))
            .collect(),
    }
}

/// Headers as they are sent. A variable is looked up here and now, as istiod does; one that is not set is empty.
pub(super) fn values(headers: &[ProviderHeader]) -> impl Iterator<Item = HeaderValue> {
    headers.iter().map(|header| HeaderValue {
        key: header.name.clone(),
        value: match &header.value {
            HeaderSource::Value(value) => value.clone(),
            HeaderSource::Environment(name) => env::var(name).unwrap_or_default(),
        },
    })
}
