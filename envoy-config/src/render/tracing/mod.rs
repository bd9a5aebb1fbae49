//! How the requests of a listener are traced.

mod tags;

use outrigger_api::Proxy;
use outrigger_api::types::telemetry_provider::{
    OpenTelemetry, OtlpExporter, TelemetryProviderKind as Provider, Zipkin,
};

use super::collectors::{Collectors, grpc_service, http_service, values};
use crate::envoy::Any;
use crate::envoy::any::Extension;
use crate::envoy::http::RequestIdExtension;
use crate::envoy::scalars::Percent;
use crate::envoy::tracing::{OpenTelemetryTracer, OtlpService, Tracing, ZipkinCollector, ZipkinTracer};
use crate::telemetry::Scope;
use crate::telemetry::tracing::{Traces, traces};

/// Where a cluster says which service it is, for the names of spans: metadata and its key.
pub(super) const OPERATION: (&str, &str) = ("outrigger", "operation");

/// What a listener is given to trace requests.
#[derive(Debug, PartialEq)]
pub(super) struct Traced {
    /// How.
    pub(super) tracing: Tracing,
    /// Ids of requests that do not say whether they are traced.
    pub(super) request_id: Option<RequestIdExtension>,
}

/// How the requests of a listener of `proxy` are traced. `operation`: the `host:port` that all of them are for, if it is
/// one. `None`: they are not, or nothing says where spans go; `analyze` says that.
pub(super) fn traced(
    scope: &Scope<'_>,
    proxy: &Proxy,
    operation: Option<&str>,
    cluster: &str,
    collectors: &mut Collectors<'_>,
) -> Option<Traced> {
    let traces = traces(scope)?;
    let provider = tracer(&traces, cluster, collectors)?;
    let all = Percent { value: 100.0 };
    let by_id = Any::UuidRequestId { use_request_id_for_trace_sampling: false };
    Some(Traced {
        tracing: Tracing {
            client_sampling: all,
            random_sampling: Percent { value: traces.sampling },
            overall_sampling: all,
            max_path_tag_length: Some(traces.max_path_tag_length).filter(|length| *length > 0),
            custom_tags: tags::tags(&traces, proxy, scope.mesh),
            provider,
            spawn_upstream_span: proxy.role == outrigger_api::Role::Gateway,
            operation: operation.map_or_else(named_by_cluster, |operation| format!("{operation}/*")),
            no_context_propagation: traces.no_propagation,
        },
        request_id: (!traces.by_request_id).then_some(RequestIdExtension { typed_config: by_id }),
    })
}

/// The service that a request is sent to, else the host that it asks for.
fn named_by_cluster() -> String {
    let (metadata, key) = OPERATION;
    format!(
        concat!(
            r#"%COALESCE({{"operators":[{{"command":"CLUSTER_METADATA","param":"{}:{}"}},"#,
            r#"{{"command":"REQ","param":":AUTHORITY"}}]}})%/*"#
        ),
        metadata, key
    )
}

fn tracer(traces: &Traces<'_>, cluster: &str, collectors: &mut Collectors<'_>) -> Option<Extension> {
    match &*traces.provider {
        Provider::OpenTelemetry(otel) => {
            collectors.add(&otel.collector, matches!(otel.exporter, OtlpExporter::Grpc { .. }))?;
            let tracer = Any::OpenTelemetryTracer(Box::new(by_otlp(otel, cluster)));
            Some(Extension::new("envoy.tracers.opentelemetry", tracer))
        }
        Provider::Zipkin(zipkin) => {
            collectors.add(&zipkin.collector, false)?;
            Some(Extension::new("envoy.tracers.zipkin", Any::ZipkinTracer(Box::new(by_zipkin(zipkin)))))
        }
        _ => None,
    }
}

fn by_otlp(otel: &OpenTelemetry, cluster: &str) -> OpenTelemetryTracer {
    let exporter = match &otel.exporter {
        OtlpExporter::Grpc { timeout, metadata } => {
            OtlpService::GrpcService(grpc_service(&otel.collector, *timeout, values(metadata).collect()))
        }
        OtlpExporter::Http(http) => {
            let service = http_service(&otel.collector, &http.path, http.timeout, &http.headers);
            OtlpService::HttpService(service)
        }
    };
    let (names, detectors) = ("envoy.tracers.opentelemetry.resource_detectors", otel.detectors);
    let detectors = [
        (detectors.environment, "environment", Any::EnvironmentResourceDetector {}),
        (detectors.dynatrace, "dynatrace", Any::DynatraceResourceDetector {}),
    ];
    OpenTelemetryTracer {
        exporter,
        service_name: cluster.to_owned(),
        resource_detectors: detectors
            .into_iter()
            .filter(|(wanted, ..)| *wanted)
            .map(|(_, name, detector)| Extension::new(format!("{names}.{name}"), detector))
            .collect(),
    }
}

fn by_zipkin(zipkin: &Zipkin) -> ZipkinTracer {
    let service = || http_service(&zipkin.collector, &zipkin.path, zipkin.timeout, &zipkin.headers);
    let collector = if zipkin.timeout.is_some() || !zipkin.headers.is_empty() {
        ZipkinCollector::Service { collector_service: service() }
    } else {
        let to = super::authz::destination(&zipkin.collector.service, zipkin.collector.port);
        ZipkinCollector::Cluster {
            collector_cluster: to.cluster_name(),
            collector_endpoint: zipkin.path.clone(),
            collector_hostname: to.host,
        }
    };
    ZipkinTracer {
        collector,
        collector_endpoint_version: "HTTP_JSON",
        trace_id_128bit: !zipkin.short_ids,
        shared_span_context: false,
        trace_context_option: zipkin.w3c.then_some("USE_B3_WITH_W3C_PROPAGATION"),
    }
}
