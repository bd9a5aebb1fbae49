//! VirtualService.

use super::{
    connection_routes,
    cursor::{Cursor, shorten},
    http_route,
    object::Object,
};
use crate::{
    check,
    host::HostPattern,
    node::{Node, Value},
    types::{
        common::GatewayRef,
        virtual_service::{HeaderKey, VirtualService},
    },
};

pub(crate) fn decode(fields: &Object<'_>) -> Option<VirtualService> {
    let hosts = fields.list("hosts", host);
    let is_delegate = hosts.is_empty() && is_empty(fields, "hosts");
    let gateways = gateways(fields, is_delegate);
    let on_mesh = gateways.contains(&GatewayRef::Mesh);
    let http = fields.list("http", |route| {
        if on_mesh {
            refuse_claims(route);
        }
        http_route::decode(route, is_delegate)
    });
    let tls = fields.list("tls", |route| connection_routes::tls(route, &hosts));
    let tcp = fields.list("tcp", connection_routes::tcp);
    if ["http", "tls", "tcp"].iter().all(|name| is_empty(fields, name)) {
        fields.cursor.error("missing `http`, `tls` or `tcp`: one of them is needed");
    }
    if is_delegate {
        for name in ["tls", "tcp"] {
            fields.get(name, |field| {
                field.error(format!("a VirtualService without `hosts` is a delegate, which has no `{name}`"));
                Some(())
            });
        }
    }
    if on_mesh && hosts.contains(&HostPattern::Any) {
        fields.cursor.error_hint(
            "host `*` is not allowed in the mesh",
            "name gateways under `gateways`, without `mesh`",
        );
    }
    overlapping(fields, &hosts);
    let export_to = fields.export_to(false);
    Some(VirtualService { hosts, gateways, http, tls, tcp, export_to })
}

fn host(host: &Cursor<'_>) -> Option<HostPattern> {
    host.host_pattern()
}

fn is_empty(fields: &Object<'_>, name: &'static str) -> bool {
    fields
        .get(name, |field| Some(matches!(&field.node.value, Value::Sequence(items) if items.is_empty())))
        .unwrap_or(true)
}

fn gateways(fields: &Object<'_>, is_delegate: bool) -> Vec<GatewayRef> {
    let gateways = fields.list("gateways", |at| at.gateway_ref());
    if !is_empty(fields, "gateways") {
        if is_delegate {
            fields.get("gateways", |field| {
                field.error("a VirtualService without `hosts` is a delegate, which has no `gateways`");
                Some(())
            });
        }
        return gateways;
    }
    vec![GatewayRef::Mesh]
}

/// Two hosts of one VirtualService must not cover the same name.
fn overlapping(fields: &Object<'_>, hosts: &[HostPattern]) {
    for (at, host) in hosts.iter().enumerate() {
        for earlier in hosts.iter().take(at).filter(|earlier| earlier.intersects(host)) {
            fields.get("hosts", |field| {
                field.error(format!("hosts `{earlier}` and `{host}` cover the same names"));
                Some(())
            });
        }
    }
}

/// Claims are known at gateways only: not in the mesh, and so not in a delegate either, which names no gateways.
fn refuse_claims(route: &Cursor<'_>) {
    let Some((key, node)) = route.node.entry("match").filter(|(_, node)| is_list(node)) else { return };
    route.field("match", key.position, node).list(|entry| {
        for name in ["headers", "withoutHeaders", "without_headers"] {
            let Some((key, node)) = entry.node.entry(name) else { continue };
            if let Value::Mapping(_) = node.value {
                entry.field(name, key.position, node).map(refuse_claim);
            }
        }
        Some(())
    });
}

fn is_list(node: &Node) -> bool {
    matches!(node.value, Value::Sequence(_))
}

fn refuse_claim(key: &str, value: &Cursor<'_>) -> Option<()> {
    if let Ok(HeaderKey::Claim(_)) = header_key(key) {
        value.error_hint(
            format!("JWT claim based routing (key: {}) is only supported for gateway", shorten(key)),
            "name gateways under `gateways`, without `mesh`; in place of a delegate's claims ask for them in the rule \
             that delegates",
        );
    }
    None
}

/// `@request.auth.claims.a.b` or `@request.auth.claims[a][b]`.
pub(crate) fn header_key(name: &str) -> Result<HeaderKey, String> {
    const CLAIMS: &str = "@request.auth.claims";
    let rest = name.split_at_checked(CLAIMS.len()).filter(|(start, _)| start.eq_ignore_ascii_case(CLAIMS));
    if let Some((_, rest)) = rest {
        let bracketed = rest.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let claims: Option<Vec<String>> = match (rest.strip_prefix('.'), bracketed) {
            (Some(dotted), _) if !dotted.is_empty() => Some(dotted.split('.').map(str::to_owned).collect()),
            (None, Some(inner)) if !inner.is_empty() => Some(inner.split("][").map(str::to_owned).collect()),
            _ => None,
        };
        if let Some(claims) = claims {
            return Ok(HeaderKey::Claim(claims));
        }
    }
    check::headers::name_or_pseudo(name)?;
    Ok(HeaderKey::Name(name.to_ascii_lowercase()))
}
