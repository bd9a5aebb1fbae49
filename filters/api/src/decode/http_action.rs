//! What an HTTP route does: forward, redirect, answer, or leave it to a delegate.

use super::{cursor::Cursor, headers, object::Object};
use crate::{
    check,
    types::{
        common::StringMatch,
        virtual_service::{
            Delegate, DirectResponse, HttpMatchRequest, Redirect, RedirectCode, RedirectPath, RedirectPort,
            RouteAction, RouteDestination, Scheme,
        },
    },
};

/// Istio refuses larger bodies.
const LARGEST_BODY: usize = 1024 * 1024;
/// Istio warns of larger bodies.
const LARGE_BODY: usize = 100 * 1024;

const ACTIONS: [&str; 4] = ["route", "redirect", "directResponse", "delegate"];

/// Reads the four fields, of which exactly one must be there.
pub(crate) fn decode(
    fields: &Object<'_>,
    matches: &[HttpMatchRequest],
    in_delegate: bool,
) -> Option<RouteAction> {
    let destinations = fields.list("route", destination);
    let redirect = fields.get("redirect", |field| redirect(field, matches));
    let response = fields.get("directResponse", direct_response);
    let delegate = fields.get("delegate", |field| {
        if in_delegate {
            field.error("a delegate can't delegate any further");
        }
        delegate(field)
    });
    enough_weight(fields, &destinations);
    if !ACTIONS.iter().any(|name| fields.is_set(name)) {
        fields.cursor.error(
            "missing `route`, `redirect`, `directResponse` or `delegate`: exactly one of them is needed",
        );
    }
    if let Some(delegate) = delegate {
        fields.at_most_one_set(&["delegate", "redirect"]);
        fields.at_most_one_set(&["delegate", "route"]);
        return Some(RouteAction::Delegate(Delegate { direct_response: response, ..delegate }));
    }
    fields.at_most_one_set(&ACTIONS);
    redirect
        .map(RouteAction::Redirect)
        .or(response.map(RouteAction::DirectResponse))
        .or_else(|| (!destinations.is_empty()).then_some(RouteAction::Route(destinations)))
}

fn destination(entry: &Cursor<'_>) -> Option<RouteDestination> {
    entry.object(|fields| {
        let destination = fields.required("destination", |at| at.destination());
        let weight = fields.get("weight", |at| at.count()).unwrap_or_default();
        let headers = headers::headers(fields);
        Some(RouteDestination { destination: destination?, weight, headers })
    })
}

fn enough_weight(fields: &Object<'_>, destinations: &[RouteDestination]) {
    if destinations.len() > 1 && destinations.iter().all(|destination| destination.weight == 0) {
        fields.get("route", |route| {
            route.error_hint("the weights of all destinations are 0", "give each destination a `weight`");
            Some(())
        });
    }
}

fn redirect(redirect: &Cursor<'_>, matches: &[HttpMatchRequest]) -> Option<Redirect> {
    redirect.object(|fields| {
        fields.at_most_one_set(&["uri", "prefixRewrite"]);
        fields.at_most_one(&["port", "derivePort"]);
        let uri = fields.text("uri").map(RedirectPath::Full);
        let prefix = fields.text("prefixRewrite").map(RedirectPath::Prefix);
        let not_a_prefix = |entry: &HttpMatchRequest| matches!(&entry.uri, Some(uri) if !matches!(uri, StringMatch::Prefix(_)));
        if prefix.is_some() && matches.iter().any(not_a_prefix) {
            fields.get("prefixRewrite", |field| {
                field.error("`prefixRewrite` needs every `match` with a `uri` to match it by `prefix`");
                Some(())
            });
        }
        let authority = fields.text("authority");
        // Istio takes port 0 for none.
        let number = fields.get("port", |at| at.within(0, 65535)).map(|port| match port {
            0 => RedirectPort::ProtocolDefault,
            port => RedirectPort::Number(port),
        });
        let derived = fields.get("derivePort", |port| {
            port.one_of(&[
                ("FROM_PROTOCOL_DEFAULT", RedirectPort::ProtocolDefault),
                ("FROM_REQUEST_PORT", RedirectPort::FromRequest),
            ])
        });
        let schemes = [("", None), ("http", Some(Scheme::Http)), ("https", Some(Scheme::Https))];
        let scheme = fields.get("scheme", |scheme| scheme.one_of(&schemes)).flatten();
        let code = fields.get("redirectCode", redirect_code).unwrap_or_default();
        if ["uri", "prefixRewrite", "authority", "port", "derivePort", "scheme"].iter().all(|name| !fields.is_set(name)) {
            redirect.error("missing `uri`, `prefixRewrite`, `authority`, `port` or `scheme`: one of them is needed");
        }
        let port = number.or(derived).unwrap_or_default();
        Some(Redirect { path: uri.or(prefix), authority, port, scheme, code })
    })
}

/// Istio takes any 3xx, but gives Envoy a route without an action for those it can't redirect with.
fn redirect_code(code: &Cursor<'_>) -> Option<RedirectCode> {
    Some(match code.integer()? {
        0 | 301 => RedirectCode::MovedPermanently,
        302 => RedirectCode::Found,
        303 => RedirectCode::SeeOther,
        307 => RedirectCode::TemporaryRedirect,
        308 => RedirectCode::PermanentRedirect,
        other => {
            if (300..=399).contains(&other) {
                code.unsupported(format_args!(
                    "Envoy can't redirect with status `{other}`, only with 301, 302, 303, 307 and 308"
                ));
            } else {
                code.error_hint(
                    format_args!("`{other}` is not a redirect"),
                    "one of 301, 302, 303, 307, 308",
                );
            }
            return None;
        }
    })
}

fn direct_response(response: &Cursor<'_>) -> Option<DirectResponse> {
    response.object(|fields| {
        let status = fields.required("status", |status| status.within(200, 600));
        let body = fields.get("body", |body| {
            let content = body.object_like("{string: …}", |fields| {
                fields.at_most_one(&["string", "bytes"]);
                let text = fields.get("string", |at| at.string()).map(String::into_bytes);
                let bytes = fields.get("bytes", |bytes| bytes.parsed(check::base64::decode));
                Some(text.or(bytes).unwrap_or_default())
            })?;
            if content.len() > LARGEST_BODY {
                body.error("the body is larger than 1 MiB");
            } else if content.len() > LARGE_BODY {
                body.warn("the body is larger than 100 KiB, which makes the configuration heavy");
            }
            Some(content)
        });
        Some(DirectResponse { status: status?, body })
    })
}

fn delegate(delegate: &Cursor<'_>) -> Option<Delegate> {
    delegate.object(|fields| {
        let name = fields.required("name", |at| at.non_empty());
        let namespace = fields.text("namespace").unwrap_or_else(|| delegate.namespace().to_owned());
        Some(Delegate { name: name?, namespace, direct_response: None })
    })
}
