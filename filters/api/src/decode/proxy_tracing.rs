//! ProxyConfig's `tracing`.

use super::{cursor::Cursor, telemetry_tracing::custom_tags};
use crate::{
    check, ordered,
    problem::{Severity, code},
    types::{extension_provider::ServiceName, mesh_config::ProxyTracing, telemetry_provider::Collector},
};

/// Tracers that Istio has and nothing here speaks, and TLS with them.
const UNSUPPORTED: [&str; 5] = ["datadog", "lightstep", "openCensusAgent", "stackdriver", "tlsSettings"];

pub(super) fn decode(field: &Cursor<'_>) -> Option<ProxyTracing> {
    field.object(|fields| {
        fields.at_most_one(&["zipkin", "datadog", "lightstep", "openCensusAgent", "stackdriver"]);
        for name in UNSUPPORTED {
            fields.get(name, |field| {
                let message = format!("`{name}` of the tracing of proxies is not carried out");
                field.tell(Severity::Warning, code::UNSUPPORTED, &message, None);
                Some(())
            });
        }
        let zipkin = fields
            .get("zipkin", |at| at.object(|fields| fields.required("address", |at| at.parsed(address))));
        Some(ProxyTracing {
            sampling: fields.get("sampling", sampling),
            zipkin,
            custom_tags: fields.get("customTags", custom_tags).map(ordered::map).unwrap_or_default(),
            max_path_tag_length: fields.get("maxPathTagLength", |at| at.unsigned()).unwrap_or_default(),
            enable_istio_tags: fields.get("enableIstioTags", |at| at.bool()),
        })
    })
}

/// Istio takes 0 for left out.
fn sampling(at: &Cursor<'_>) -> Option<f64> {
    at.percentage().filter(|percent| *percent > 0.0)
}

/// `host:port`
fn address(text: &str) -> Result<Collector, String> {
    let (host, port) = text.rsplit_once(':').ok_or("is not `host:port`")?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    check::names::host_or_ip(host)?;
    let port = port.parse().ok().filter(|port| *port > 0).ok_or("does not end in a port")?;
    Ok(Collector { service: ServiceName { namespace: None, host: host.to_owned() }, port })
}
