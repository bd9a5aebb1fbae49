//! Istio's metadata exchange, from the side of the client: a service of the mesh is told who sends it requests, and what
//! is known of its endpoints is kept for metrics. The filters do the rest.

use outrigger_core::telemetry::{self, METADATA, METADATA_ID};
use serde_json::Value;

use super::discovery::Workload;
use super::{HTTP_OPTIONS, build};
use crate::envoy::Any;
use crate::envoy::cluster::{Cluster, HttpProtocolOptions, Metadata};
use crate::envoy::http::{HttpFilter, RequestMutation, RequestMutations};

/// Has Envoy tell each endpoint of `cluster`. Only a filter behind the router knows for sure where a request goes.
pub(super) fn tell(cluster: &mut Cluster, own: &telemetry::Workload) {
    let (metadata, id) = own.to_headers();
    let mutations = [(METADATA, metadata), (METADATA_ID, id)];
    let request_mutations = mutations.iter().map(|(name, value)| RequestMutation::set(name, value)).collect();
    let mutation = Any::HeaderMutation { mutations: RequestMutations { request_mutations } };
    let options = cluster
        .typed_extension_protocol_options
        .entry(HTTP_OPTIONS)
        .or_insert_with(|| Any::HttpProtocolOptions(HttpProtocolOptions::of(build::http1())));
    if let Any::HttpProtocolOptions(options) = options {
        options.http_filters = vec![
            HttpFilter::new("envoy.filters.http.header_mutation", mutation),
            HttpFilter::new("envoy.filters.http.upstream_codec", Any::UpstreamCodec {}),
        ];
    }
}

/// What is known of the workload at an endpoint.
pub(super) fn known(workload: &Workload) -> telemetry::Workload {
    telemetry::Workload::described(&workload.name, &workload.namespace, &workload.labels)
}

/// Adds what is known of the workload at an endpoint. `all_alike`: it is known of all endpoints of the cluster.
pub(super) fn describe(metadata: &mut Metadata, known: &telemetry::Workload, all_alike: bool) {
    if *known != telemetry::Workload::default() {
        let istio = serde_json::json!({ "workload": Value::String(known.to_endpoint()) });
        metadata.filter_metadata.insert("istio", istio);
    }
    // Spares metrics the question which of them it was.
    if all_alike {
        metadata.filter_metadata.insert("outrigger", serde_json::json!({ "all_alike": true }));
    }
}
