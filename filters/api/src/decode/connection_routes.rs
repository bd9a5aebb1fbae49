//! Routes of TLS and plain connections.

use super::{
    cursor::Cursor,
    http_match::{listener_port, source_labels, source_namespace},
    object::Object,
};
use crate::{
    check,
    host::HostPattern,
    types::virtual_service::{ConnectionDestination, ConnectionMatch, TcpRoute, TlsMatch, TlsRoute},
};

pub(crate) fn tls(route: &Cursor<'_>, hosts: &[HostPattern]) -> Option<TlsRoute> {
    route.object(|fields| {
        let matches = fields.list("match", |entry| tls_match(entry, hosts));
        if !fields.is_set("match") {
            route.error("missing `match`: a TLS route needs one at least");
        }
        Some(TlsRoute { matches, route: destinations(fields) })
    })
}

pub(crate) fn tcp(route: &Cursor<'_>) -> Option<TcpRoute> {
    route.object(|fields| {
        let matches = fields.list("match", |entry| {
            entry.object(|fields| {
                fields.get("sourceSubnet", |field| {
                    field.unsupported("`sourceSubnet` is not supported");
                    Some(())
                });
                Some(connection(fields))
            })
        });
        Some(TcpRoute { matches, route: destinations(fields) })
    })
}

fn tls_match(entry: &Cursor<'_>, hosts: &[HostPattern]) -> Option<TlsMatch> {
    entry.object(|fields| {
        let sni_hosts = fields.list("sniHosts", |host| {
            let pattern = host.host_pattern()?;
            if host.node.as_str().is_some_and(|text| check::ip::address(text).is_ok()) {
                host.warn("an address is no name for SNI: most clients never send one");
                return Some(pattern);
            }
            if !hosts.iter().any(|wide| pattern.is_subset_of(wide)) {
                host.error(format_args!(
                    "SNI host `{pattern}` is not covered by the VirtualService's `hosts`"
                ));
            }
            Some(pattern)
        });
        if !fields.is_set("sniHosts") {
            entry.error("missing `sniHosts`: a TLS match needs one at least");
        }
        Some(TlsMatch { sni_hosts, connection: connection(fields) })
    })
}

fn connection(fields: &Object<'_>) -> ConnectionMatch {
    ConnectionMatch {
        destination_subnets: fields.list("destinationSubnets", |at| at.ip_block()),
        port: listener_port(fields),
        source_labels: source_labels(fields),
        gateways: fields.list("gateways", |at| at.gateway_ref()),
        source_namespace: source_namespace(fields),
    }
}

fn destinations(fields: &Object<'_>) -> Vec<ConnectionDestination> {
    let destinations = fields.list("route", |entry| {
        entry.object(|fields| {
            let destination = fields.required("destination", |at| at.destination());
            let weight = fields.get("weight", |at| at.count()).unwrap_or_default();
            Some(ConnectionDestination { destination: destination?, weight })
        })
    });
    if !fields.is_set("route") {
        fields.cursor.error("missing `route`: a destination is needed");
    }
    if destinations.len() > 1 && destinations.iter().all(|destination| destination.weight == 0) {
        fields.cursor.error_hint("the weights of all destinations are 0", "give each destination a `weight`");
    }
    destinations
}
