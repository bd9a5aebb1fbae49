//! Extension providers that Telemetries name, as MeshConfig has them. Filters have no use for them.

use super::{
    extension_provider::{OTHERS, authorizing, each, not_carried_out, service},
    log_format,
    object::Object,
};
use crate::{
    check,
    types::{
        extension_provider::ExtensionProvider,
        telemetry_provider::{
            Collector, FileAccessLogProvider, GrpcAls, HeaderSource, HttpExporter, LogFormat, OpenTelemetry,
            OtelAls, OtlpExporter, ProviderHeader, ResourceDetectors, TelemetryProvider,
            TelemetryProviderKind as Provider, Zipkin,
        },
    },
};

/// Kinds that Istio has and nothing here speaks.
const UNSUPPORTED: [&str; 6] = ["datadog", "lightstep", "opencensus", "sds", "skywalking", "stackdriver"];

/// The field `extensionProviders` of `fields`, by what the providers do.
pub(super) fn decode(fields: &Object<'_>) -> (Vec<ExtensionProvider>, Vec<TelemetryProvider>) {
    let (mut authorize, mut others) = (Vec::new(), Vec::new());
    for named in each(fields, kind) {
        match named {
            (Some(name), None, Some(kind)) => others.push(TelemetryProvider { name, kind }),
            named => authorize.extend(authorizing(named)),
        }
    }
    (authorize, others)
}

/// `None`: it authorizes, or something is wrong with it.
fn kind(fields: &Object<'_>) -> Option<Provider> {
    OTHERS.iter().for_each(|known| fields.skip(known));
    let other = UNSUPPORTED.into_iter().find(|kind| fields.has(kind)).map(|kind| {
        not_carried_out(fields, kind);
        Provider::Other(kind)
    });
    let logs = fields
        .get("envoyFileAccessLog", |at| at.object(file))
        .map(Provider::FileAccessLog)
        .or_else(|| fields.get("envoyOtelAls", |at| at.object(otel_als)).map(Provider::OtelAls))
        .or_else(|| fields.get("envoyHttpAls", |at| at.object(http_als)).map(Provider::HttpAls))
        .or_else(|| fields.get("envoyTcpAls", |at| at.object(grpc_als)).map(Provider::TcpAls));
    let traces = fields
        .get("opentelemetry", |at| at.object(opentelemetry))
        .map(Provider::OpenTelemetry)
        .or_else(|| fields.get("zipkin", |at| at.object(zipkin)).map(Provider::Zipkin));
    let metrics = fields.get("prometheus", |at| at.object(|_| Some(()))).map(|()| Provider::Prometheus);
    other.or(logs).or(traces).or(metrics)
}

/// `service` and `port`.
pub(super) fn collector(fields: &Object<'_>) -> Option<Collector> {
    let service = fields.required("service", |at| at.parsed(service));
    let port = fields.required("port", |at| at.port());
    Some(Collector { service: service?, port: port? })
}

fn file(fields: &Object<'_>) -> Option<FileAccessLogProvider> {
    let path = fields.text("path").unwrap_or_else(|| FileAccessLogProvider::STDOUT.to_owned());
    let format = fields.get("logFormat", |format| {
        format.object(|fields| {
            fields.at_most_one(&["text", "labels"]);
            let text = log_format::text_field(fields).map(LogFormat::Text);
            text.or_else(|| fields.get("labels", log_format::labels).map(LogFormat::Labels))
        })
    });
    Some(FileAccessLogProvider { path, format, omit_empty_values: fields.flag("omitEmptyValues") })
}

fn otel_als(fields: &Object<'_>) -> Option<OtelAls> {
    let collector = collector(fields);
    let format = fields.get("logFormat", |format| {
        format
            .object(|fields| Some((log_format::text_field(fields), fields.get("labels", log_format::labels))))
    });
    let (text, labels) = format.unwrap_or_default();
    let log_name = fields.text("logName");
    Some(OtelAls { collector: collector?, log_name, text, labels: labels.unwrap_or_default() })
}

fn http_als(fields: &Object<'_>) -> Option<GrpcAls> {
    let names = |name| fields.list(name, |at| at.checked(check::headers::name));
    let (request_headers, response_headers, response_trailers) = (
        names("additionalRequestHeadersToLog"),
        names("additionalResponseHeadersToLog"),
        names("additionalResponseTrailersToLog"),
    );
    Some(GrpcAls { request_headers, response_headers, response_trailers, ..grpc_als(fields)? })
}

fn grpc_als(fields: &Object<'_>) -> Option<GrpcAls> {
    let collector = collector(fields);
    let log_name = fields.text("logName");
    let filter_state = fields.list("filterStateObjectsToLog", |at| at.non_empty());
    Some(GrpcAls {
        collector: collector?,
        log_name,
        filter_state,
        request_headers: Vec::new(),
        response_headers: Vec::new(),
        response_trailers: Vec::new(),
    })
}

fn opentelemetry(fields: &Object<'_>) -> Option<OpenTelemetry> {
    let collector = collector(fields);
    fields.at_most_one(&["http", "grpc"]);
    let http = fields.get("http", |at| at.object(http_exporter));
    let grpc = fields.get("grpc", |at| {
        at.object(|fields| {
            let timeout = fields.get("timeout", |at| at.duration());
            Some(OtlpExporter::Grpc { timeout, metadata: headers(fields, "initialMetadata") })
        })
    });
    for field in ["dynatraceSampler", "serviceAttributeEnrichment"] {
        fields.get(field, |at| {
            at.unsupported(format_args!("`{field}` is not carried out"));
            Some(())
        });
    }
    let detectors = fields.get("resourceDetectors", |at| {
        at.object(|fields| {
            let given = |name| fields.get(name, |at| at.object(|_| Some(()))).is_some();
            Some(ResourceDetectors { environment: given("environment"), dynatrace: given("dynatrace") })
        })
    });
    let by_grpc = || OtlpExporter::Grpc { timeout: None, metadata: Vec::new() };
    Some(OpenTelemetry {
        max_tag_length: fields.get("maxTagLength", |at| at.unsigned()).unwrap_or_default(),
        collector: collector?,
        exporter: http.map(OtlpExporter::Http).or(grpc).unwrap_or_else(by_grpc),
        detectors: detectors.unwrap_or_default(),
    })
}

fn http_exporter(fields: &Object<'_>) -> Option<HttpExporter> {
    let path = fields.required("path", |at| at.non_empty());
    let timeout = fields.get("timeout", |at| at.duration());
    Some(HttpExporter { timeout, headers: headers(fields, "headers"), path: path? })
}

fn headers(fields: &Object<'_>, name: &'static str) -> Vec<ProviderHeader> {
    fields.list(name, |at| {
        at.object(|fields| {
            fields.at_most_one(&["value", "envName"]);
            let name = fields.required("name", |at| at.checked(check::headers::name));
            let value = fields.get("value", |at| at.string()).map(HeaderSource::Value);
            let source =
                value.or_else(|| fields.get("envName", |at| at.non_empty()).map(HeaderSource::Environment));
            if source.is_none() {
                at.error("missing one of `value`, `envName`");
            }
            Some(ProviderHeader { name: name?, value: source? })
        })
    })
}

fn zipkin(fields: &Object<'_>) -> Option<Zipkin> {
    let max_tag_length = fields.get("maxTagLength", |at| at.unsigned()).unwrap_or_default();
    let path = fields.text("path").unwrap_or_else(|| Zipkin::PATH.to_owned());
    let contexts = [("USE_B3", false), ("USE_B3_WITH_W3C_PROPAGATION", true)];
    let w3c = fields.get("traceContextOption", |at| at.one_of(&contexts)).unwrap_or_default();
    let (short_ids, timeout) = (fields.flag("enable64bitTraceId"), fields.get("timeout", |at| at.duration()));
    let headers = headers(fields, "headers");
    let collector = collector(fields)?;
    Some(Zipkin { collector, max_tag_length, path, short_ids, w3c, timeout, headers })
}
