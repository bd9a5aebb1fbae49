//! Telemetry.

use super::{cursor::Cursor, object::Object, target, telemetry_tracing};
use crate::types::telemetry::{
    AccessLogging, MetricSelector, Metrics, MetricsOverride, StandardMetric, TagOverride, Telemetry,
    WorkloadMode,
};

const MODES: [(&str, WorkloadMode); 3] = [
    ("CLIENT_AND_SERVER", WorkloadMode::ClientAndServer),
    ("CLIENT", WorkloadMode::Client),
    ("SERVER", WorkloadMode::Server),
];

const METRICS: [(&str, MetricSelector); 11] = [
    ("ALL_METRICS", MetricSelector::All),
    ("REQUEST_COUNT", MetricSelector::Standard(StandardMetric::RequestCount)),
    ("REQUEST_DURATION", MetricSelector::Standard(StandardMetric::RequestDuration)),
    ("REQUEST_SIZE", MetricSelector::Standard(StandardMetric::RequestSize)),
    ("RESPONSE_SIZE", MetricSelector::Standard(StandardMetric::ResponseSize)),
    ("TCP_OPENED_CONNECTIONS", MetricSelector::Standard(StandardMetric::TcpOpenedConnections)),
    ("TCP_CLOSED_CONNECTIONS", MetricSelector::Standard(StandardMetric::TcpClosedConnections)),
    ("TCP_SENT_BYTES", MetricSelector::Standard(StandardMetric::TcpSentBytes)),
    ("TCP_RECEIVED_BYTES", MetricSelector::Standard(StandardMetric::TcpReceivedBytes)),
    ("GRPC_REQUEST_MESSAGES", MetricSelector::Standard(StandardMetric::GrpcRequestMessages)),
    ("GRPC_RESPONSE_MESSAGES", MetricSelector::Standard(StandardMetric::GrpcResponseMessages)),
];

pub(crate) fn decode(fields: &Object<'_>) -> Option<Telemetry> {
    let tracing = fields.get("tracing", |field| {
        let tracing = field.list(telemetry_tracing::decode);
        if tracing.len() > 1 {
            field.warn(
                "Istio means this to have one entry; what several say is merged, and the last one wins",
            );
        }
        Some(tracing)
    });
    Some(Telemetry {
        target: target::target(fields),
        tracing: tracing.unwrap_or_default(),
        metrics: fields.list("metrics", metrics),
        access_logging: fields.list("accessLogging", access_logging),
    })
}

/// Of a Telemetry only for whom it is and what it says of metrics; the rest is as if left out, whatever it says.
pub(crate) fn decode_metrics(fields: &Object<'_>) -> Option<Telemetry> {
    fields.skip("tracing");
    fields.skip("accessLogging");
    let (target, metrics) = (target::target(fields), fields.list("metrics", metrics));
    Some(Telemetry { target, metrics, ..Telemetry::default() })
}

/// Names of providers; a `null` or empty one is Istio's error.
pub(crate) fn providers(fields: &Object<'_>) -> Vec<String> {
    fields
        .list("providers", |provider| provider.object(|fields| fields.required("name", |at| at.non_empty())))
}

/// `match.mode` of an entry.
pub(crate) fn mode(fields: &Object<'_>) -> WorkloadMode {
    fields.get("match", |selector| selector.object(mode_of)).unwrap_or_default()
}

fn mode_of(fields: &Object<'_>) -> Option<WorkloadMode> {
    fields.get("mode", |mode| mode.one_of(&MODES))
}

fn metrics(entry: &Cursor<'_>) -> Option<Metrics> {
    entry.object(|fields| {
        Some(Metrics {
            providers: providers(fields),
            overrides: fields.list("overrides", metrics_override),
            reporting_interval: fields.get("reportingInterval", |at| at.duration()),
        })
    })
}

fn metrics_override(entry: &Cursor<'_>) -> Option<MetricsOverride> {
    entry.object(|fields| {
        let (metric, mode) = fields.get("match", |selector| selector.object(selection)).unwrap_or_default();
        let tags = fields.get("tagOverrides", |tags| {
            Some(tags.map(|name, tag| {
                if name.is_empty() {
                    tag.warn("the name of a tag must not be empty");
                }
                tag_override(tag)
            }))
        });
        Some(MetricsOverride {
            metric,
            mode,
            disabled: fields.get("disabled", |at| at.bool()),
            tag_overrides: tags.unwrap_or_default(),
        })
    })
}

fn selection(fields: &Object<'_>) -> Option<(MetricSelector, WorkloadMode)> {
    fields.at_most_one(&["metric", "customMetric"]);
    let metric = fields.get("metric", |metric| {
        let places: Vec<_> = METRICS.iter().enumerate().map(|(place, (name, _))| (*name, place)).collect();
        let place = metric.one_of(&places)?;
        METRICS.get(place).map(|(_, metric)| metric.clone())
    });
    let custom = fields.get("customMetric", |at| at.non_empty()).map(MetricSelector::Custom);
    Some((metric.or(custom).unwrap_or_default(), mode_of(fields).unwrap_or_default()))
}

fn tag_override(tag: &Cursor<'_>) -> Option<TagOverride> {
    tag.object(|fields| {
        let removes =
            fields.get("operation", |operation| operation.one_of(&[("UPSERT", false), ("REMOVE", true)]));
        let value = fields.text("value");
        match (removes.unwrap_or_default(), value) {
            (false, Some(value)) => return Some(TagOverride::Upsert(value)),
            (false, None) => tag.error("missing `value`, a CEL expression: operation UPSERT needs it"),
            (true, Some(_)) => tag.error("operation REMOVE has no `value`"),
            (true, None) => {}
        }
        Some(TagOverride::Remove)
    })
}

fn access_logging(entry: &Cursor<'_>) -> Option<AccessLogging> {
    entry.object(|fields| {
        Some(AccessLogging {
            mode: mode(fields),
            providers: providers(fields),
            disabled: fields.get("disabled", |at| at.bool()),
            filter: fields.get("filter", |filter| {
                filter.object(|fields| fields.required("expression", |at| at.non_empty()))
            }),
        })
    })
}
