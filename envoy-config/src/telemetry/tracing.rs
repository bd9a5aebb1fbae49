//! How a listener's requests are traced.

use std::borrow::Cow;
use std::collections::BTreeMap;

use outrigger_api::types::telemetry::CustomTag;
use outrigger_api::types::telemetry_provider::{TelemetryProviderKind, Zipkin};

use super::{Scope, providers};

/// Istio's `PILOT_TRACE_SAMPLING`.
const SAMPLING: f64 = 1.0;

/// How requests are traced.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Traces<'s> {
    /// Where spans go.
    pub(crate) provider: Cow<'s, TelemetryProviderKind>,
    /// In percent, of requests that begin a trace.
    pub(crate) sampling: f64,
    /// Further tags.
    pub(crate) tags: &'s BTreeMap<String, CustomTag>,
    /// Istio's own tags, and ours.
    pub(crate) istio_tags: bool,
    /// The request's id tells whether it is traced.
    pub(crate) by_request_id: bool,
    /// Services are not told of the trace.
    pub(crate) no_propagation: bool,
    /// 0: Envoy's default.
    pub(crate) max_path_tag_length: u32,
}

/// What the entries of Telemetries come to.
#[derive(Debug, Clone, Copy)]
struct Merged<'s> {
    provider: Option<&'s str>,
    disabled: bool,
    sampling: Option<f64>,
    tags: Option<&'s BTreeMap<String, CustomTag>>,
    istio_tags: bool,
    by_request_id: bool,
    no_propagation: bool,
}

/// `None`: nothing is traced.
pub(crate) fn traces<'s>(scope: &Scope<'s>) -> Option<Traces<'s>> {
    let proxy = &scope.mesh.tracing;
    let Some(merged) = merged(scope) else {
        let collector = proxy.zipkin.clone().filter(|_| !scope.mesh.without_tracing)?;
        return Some(Traces {
            provider: Cow::Owned(TelemetryProviderKind::Zipkin(Zipkin::at(collector))),
            sampling: proxy.sampling.unwrap_or(SAMPLING),
            tags: &proxy.custom_tags,
            istio_tags: proxy.enable_istio_tags.unwrap_or(true),
            by_request_id: true,
            no_propagation: false,
            max_path_tag_length: proxy.max_path_tag_length,
        });
    };
    if merged.disabled {
        return None;
    }
    let provider = providers::telemetry(scope.mesh, merged.provider?).filter(|kind| kind.takes_traces())?;
    let max_tag_length = match &*provider {
        TelemetryProviderKind::OpenTelemetry(otel) => otel.max_tag_length,
        TelemetryProviderKind::Zipkin(zipkin) => zipkin.max_tag_length,
        _ => 0,
    };
    Some(Traces {
        provider,
        sampling: merged.sampling.or(proxy.sampling).unwrap_or(SAMPLING),
        // A map of tags that is empty is as if left out.
        tags: merged.tags.filter(|tags| !tags.is_empty()).unwrap_or(&proxy.custom_tags),
        istio_tags: merged.istio_tags,
        by_request_id: merged.by_request_id,
        no_propagation: merged.no_propagation,
        max_path_tag_length: if max_tag_length == 0 { proxy.max_path_tag_length } else { max_tag_length },
    })
}

/// Each entry changes what those before it have said. `None`: there is none, and no default provider.
fn merged<'s>(scope: &Scope<'s>) -> Option<Merged<'s>> {
    let default = scope.mesh.default_providers.tracing.first().map(String::as_str);
    let entries = || scope.telemetries.iter().flat_map(|(_, telemetry)| &telemetry.tracing);
    if default.is_none() && entries().next().is_none() {
        return None;
    }
    let mut merged = Merged {
        provider: default,
        disabled: false,
        sampling: None,
        tags: None,
        istio_tags: true,
        by_request_id: true,
        no_propagation: false,
    };
    for entry in entries().filter(|entry| scope.is_meant(entry.mode)) {
        merged.provider = entry.providers.first().map(String::as_str).or(merged.provider);
        merged.disabled = entry.disable_span_reporting.unwrap_or(merged.disabled);
        merged.sampling = entry.random_sampling_percentage.or(merged.sampling);
        merged.tags = entry.custom_tags.as_ref().or(merged.tags);
        merged.istio_tags = entry.enable_istio_tags.unwrap_or(merged.istio_tags);
        merged.by_request_id = entry.use_request_id_for_trace_sampling.unwrap_or(merged.by_request_id);
        merged.no_propagation = entry.disable_context_propagation.unwrap_or(merged.no_propagation);
    }
    Some(merged)
}
