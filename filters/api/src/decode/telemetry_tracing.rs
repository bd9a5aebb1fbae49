//! Tracing settings of Telemetry.

use super::{
    cursor::Cursor,
    telemetry::{mode, providers},
};
use crate::ordered;
use crate::types::telemetry::{CustomTag, Tracing};

pub(crate) fn decode(entry: &Cursor<'_>) -> Option<Tracing> {
    entry.object(|fields| {
        let providers = providers(fields);
        if providers.len() > 1 {
            entry.warn("only the first provider has an effect");
        }
        let tags = fields.get("customTags", custom_tags);
        Some(Tracing {
            mode: mode(fields),
            providers,
            random_sampling_percentage: fields.get("randomSamplingPercentage", |at| at.percentage()),
            disable_span_reporting: fields.get("disableSpanReporting", |at| at.bool()),
            custom_tags: tags.map(ordered::map),
            use_request_id_for_trace_sampling: fields.get("useRequestIdForTraceSampling", |at| at.bool()),
            enable_istio_tags: fields.get("enableIstioTags", |at| at.bool()),
            disable_context_propagation: fields.get("disableContextPropagation", |at| at.bool()),
        })
    })
}

/// Tags by name.
pub(super) fn custom_tags(tags: &Cursor<'_>) -> Option<Vec<(String, CustomTag)>> {
    Some(tags.map(|name, tag| {
        if name.is_empty() {
            tag.error("the name of a tag must not be empty");
        }
        custom_tag(tag)
    }))
}

fn custom_tag(tag: &Cursor<'_>) -> Option<CustomTag> {
    tag.object(|fields| {
        let kinds = ["literal", "environment", "header", "formatter"];
        fields.at_most_one(&kinds);
        if !kinds.iter().any(|name| fields.has(name)) {
            tag.error(format_args!("missing one of `{}`", kinds.join("`, `")));
        }
        let value =
            |name| fields.get(name, |tag| tag.object(|fields| fields.required("value", |at| at.non_empty())));
        let named = |name| {
            fields.get(name, |tag| {
                tag.object(|fields| {
                    let name = fields.required("name", |at| at.non_empty());
                    let default_value = fields.text("defaultValue").unwrap_or_default();
                    Some((name?, default_value))
                })
            })
        };
        let literal = value("literal").map(CustomTag::Literal);
        let formatter = value("formatter").map(CustomTag::Formatter);
        #[cfg(feature = "yaml")]
        fields.get("formatter", |tag| tag.object(|fields| fields.get("value", super::log_format::text)));
        let environment =
            named("environment").map(|(name, default_value)| CustomTag::Environment { name, default_value });
        let header = named("header").map(|(name, default_value)| CustomTag::Header {
            name: name.to_ascii_lowercase(),
            default_value,
        });
        literal.or(formatter).or(environment).or(header)
    })
}
