//! One entry of an HTTP route's `match`.

use super::{
    cursor::{Cursor, shorten},
    object::Object,
    virtual_service::{Place, header_key},
};
use crate::{
    node::Value,
    ordered,
    types::{
        common::{Labels, StringMatch},
        virtual_service::{HeaderKey, HttpMatchRequest},
    },
};

/// A `null` entry is an empty one: it matches every request.
pub(crate) fn decode(entry: &Cursor<'_>, place: Place) -> Option<HttpMatchRequest> {
    if entry.node.is_null() {
        return Some(HttpMatchRequest::default());
    }
    entry.object(|fields| {
        let plain = |name| fields.get(name, |field| field.string_match(false));
        Some(HttpMatchRequest {
            name: fields.text("name"),
            uri: fields.get("uri", |uri| uri.string_match(true)).filter(|uri| *uri != StringMatch::Present),
            scheme: plain("scheme"),
            method: plain("method"),
            authority: plain("authority"),
            headers: headers(fields, "headers", place, header),
            without_headers: headers(fields, "withoutHeaders", place, without_header),
            query_params: fields
                .get("queryParams", |params| Some(params.map(|_, value| query_param(value))))
                .unwrap_or_default(),
            port: listener_port(fields),
            gateways: fields.list("gateways", |at| at.gateway_ref()),
            source_labels: source_labels(fields),
            source_namespace: source_namespace(fields),
            ignore_uri_case: fields.flag("ignoreUriCase"),
            stat_prefix: fields.text("statPrefix"),
        })
    })
}

/// `port` of a match; 0 counts as not set.
pub(crate) fn listener_port(fields: &Object<'_>) -> Option<u16> {
    fields.get("port", |port| port.within(0, 65535)).filter(|port| *port != 0)
}

pub(crate) fn source_labels(fields: &Object<'_>) -> Labels {
    fields.get("sourceLabels", |at| at.labels()).unwrap_or_default()
}

pub(crate) fn source_namespace(fields: &Object<'_>) -> Option<String> {
    fields.get("sourceNamespace", |field| field.dns_label_or_empty())
}

fn headers(
    fields: &Object<'_>,
    name: &'static str,
    place: Place,
    decode: fn(&Cursor<'_>) -> Option<StringMatch>,
) -> Vec<(HeaderKey, StringMatch)> {
    let decoded = fields.get(name, |headers| {
        Some(headers.map(|key, value| {
            let name = header_key(key).map_err(|reason| value.key_error(key, &reason)).ok();
            let decoded = decode(value);
            if let Some(HeaderKey::Claim(_)) = &name {
                claim(key, value, place, decoded.as_ref());
            }
            Some((name?, decoded?))
        }))
    });
    let mut headers: Vec<_> = decoded.unwrap_or_default().into_iter().map(|(_, entry)| entry).collect();
    ordered::sort_by(&mut headers, |(one, _), (other, _)| one.cmp(other));
    headers
}

/// A claim of a token is known at gateways only: not in the mesh, and so not in a delegate, which names no gateways.
fn claim(key: &str, value: &Cursor<'_>, place: Place, decoded: Option<&StringMatch>) {
    if place.on_mesh {
        value.error_hint(
            format_args!("JWT claim based routing (key: {}) is only supported for gateway", shorten(key)),
            if place.in_delegate {
                "ask for the claim in the rule that delegates"
            } else {
                "name gateways under `gateways`, without `mesh`"
            },
        );
    }
    if decoded == Some(&StringMatch::Present) {
        value.unsupported(
            "a claim is matched by `exact`, `prefix` or `regex`: Envoy has no presence of claims",
        );
    }
}

fn header(value: &Cursor<'_>) -> Option<StringMatch> {
    if value.node.is_null() {
        value.error_hint("must not be null", "write `{}` to ask for the header to be there");
        return None;
    }
    value.string_match(false)
}

/// `null`, `{}` and the regex `*` (which is none) ask for the header to be absent.
fn without_header(value: &Cursor<'_>) -> Option<StringMatch> {
    let is_star = matches!(&value.node.value, Value::Mapping(entries)
        if matches!(entries.as_slice(), [(key, regex)] if key.name == "regex" && regex.as_str() == Some("*")));
    if value.node.is_null() || is_star { Some(StringMatch::Present) } else { value.string_match(false) }
}

fn query_param(value: &Cursor<'_>) -> Option<StringMatch> {
    if value.node.is_null() { Some(StringMatch::Present) } else { value.string_match(false) }
}
