//! VirtualService.

use super::{connection_routes, cursor::Cursor, http_route, object::Object};
use crate::{
    check,
    host::HostPattern,
    ordered,
    types::{
        annotations::Annotations,
        common::GatewayRef,
        virtual_service::{HeaderKey, TcpRoute, TlsRoute, VirtualService},
    },
};

/// What decides whether a field may be there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// Whether the VirtualService is one that others delegate to.
    pub(crate) in_delegate: bool,
    /// Whether sidecars get its routes.
    pub(crate) on_mesh: bool,
}

pub(crate) fn decode(fields: &Object<'_>) -> Option<VirtualService> {
    decode_with::<true>(fields)
}

/// Of routes of connections only that there are some: no filter sees connections.
pub(crate) fn decode_http(fields: &Object<'_>) -> Option<VirtualService> {
    decode_with::<false>(fields)
}

fn decode_with<const CONNECTIONS: bool>(fields: &Object<'_>) -> Option<VirtualService> {
    let hosts = fields.list("hosts", host);
    let is_delegate = !fields.is_set("hosts");
    let gateways = gateways(fields, is_delegate);
    let on_mesh = gateways.contains(&GatewayRef::Mesh);
    let place = Place { in_delegate: is_delegate, on_mesh };
    let http = fields.list("http", |route| http_route::decode(route, place));
    let tls = fields.list("tls", |route| match CONNECTIONS {
        true => connection_routes::tls(route, &hosts),
        false => Some(TlsRoute::default()),
    });
    let tcp = fields.list("tcp", |route| match CONNECTIONS {
        true => connection_routes::tcp(route),
        false => Some(TcpRoute::default()),
    });
    if ["http", "tls", "tcp"].iter().all(|name| !fields.is_set(name)) {
        fields.cursor.error("missing `http`, `tls` or `tcp`: one of them is needed");
    }
    if is_delegate {
        for name in ["tls", "tcp"].into_iter().filter(|name| fields.is_set(name)) {
            fields.get(name, |field| {
                field.error(format_args!(
                    "a VirtualService without `hosts` is a delegate, which has no `{name}`"
                ));
                Some(())
            });
        }
    }
    if on_mesh && hosts.contains(&HostPattern::Any) {
        fields.get("hosts", |field| {
            field.error_hint(
                "host `*` is not allowed in the mesh",
                "name gateways under `gateways`, without `mesh`",
            );
            Some(())
        });
    }
    overlapping(fields, &hosts);
    let export_to = fields.export_to(false);
    Some(VirtualService { hosts, gateways, http, tls, tcp, export_to, annotations: Annotations::default() })
}

fn host(host: &Cursor<'_>) -> Option<HostPattern> {
    host.host_pattern()
}

fn gateways(fields: &Object<'_>, is_delegate: bool) -> Vec<GatewayRef> {
    let gateways = fields.list("gateways", |at| at.gateway_ref());
    if fields.is_set("gateways") {
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

/// Two hosts of one VirtualService must not cover the same name. While some of them can't be read, nothing is said.
fn overlapping(fields: &Object<'_>, hosts: &[HostPattern]) {
    fields.get("hosts", |field| {
        if field.element(hosts.len()).is_none() {
            for (narrow, wide) in covered(hosts) {
                let (host, other) = (hosts.get(narrow)?, hosts.get(wide)?);
                let message = match host == other {
                    true => format!("host `{host}` is given twice"),
                    false => format!("hosts `{other}` and `{host}` cover the same names"),
                };
                field.element(narrow).unwrap_or(*field).error(message);
            }
        }
        Some(())
    });
}

/// Which hosts another one covers, each with one that does. In the order of their ends, all that a wildcard covers
/// follows after it.
fn covered(hosts: &[HostPattern]) -> Vec<(usize, usize)> {
    let end = |host: &HostPattern| -> String {
        let (HostPattern::Exact(name) | HostPattern::Suffix(name)) = host else {
            return String::new();
        };
        name.chars().rev().collect()
    };
    let mut sorted: Vec<(String, usize)> =
        hosts.iter().enumerate().map(|(at, host)| (end(host), at)).collect();
    ordered::sort(&mut sorted);
    let mut found = Vec::new();
    let mut wide: Vec<(&str, usize)> = Vec::new();
    for (end, at) in &sorted {
        while wide.last().is_some_and(|(wider, _)| !end.starts_with(wider)) {
            wide.pop();
        }
        let (Some(host), other) = (hosts.get(*at), wide.last()) else {
            continue;
        };
        let cover = other.filter(|(_, other)| hosts.get(*other).is_some_and(|other| other.intersects(host)));
        found.extend(cover.map(|(_, other)| (*at.max(other), *at.min(other))));
        wide.push((end, *at));
    }
    found
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
