//! ServiceEntry.

use super::{cursor::Cursor, object::Object, shared::PortNeeds, workload_entry};
use crate::{
    check,
    host::HostPattern,
    types::{
        common::{Port, Protocol},
        service_entry::{Location, Resolution, ServiceEntry},
        workload_entry::{Address, WorkloadEntry},
    },
};

/// Istio's limit.
const MOST_HOSTS: usize = 256;

const RESOLUTIONS: [(&str, Resolution); 5] = [
    ("NONE", Resolution::None),
    ("STATIC", Resolution::Static),
    ("DNS", Resolution::Dns),
    ("DNS_ROUND_ROBIN", Resolution::DnsRoundRobin),
    ("DYNAMIC_DNS", Resolution::DynamicDns),
];

pub(crate) fn decode(fields: &Object<'_>) -> Option<ServiceEntry> {
    fields.at_most_one(&["endpoints", "workloadSelector"]);
    let resolution = fields.get("resolution", |field| field.one_of(&RESOLUTIONS)).unwrap_or_default();
    let hosts = hosts(fields, resolution);
    let addresses = fields.list("addresses", |address| {
        let block = address.ip_block();
        let is_block = address.node.as_str().is_some_and(|text| text.contains('/'));
        if is_block && !matches!(resolution, Resolution::None | Resolution::Static) {
            address.error("a CIDR block needs resolution NONE or STATIC");
        }
        block
    });
    let ports = ports(fields);
    let endpoints = fields.list("endpoints", |endpoint| endpoint.object(workload_entry::decode));
    let workload_selector = fields.get("workloadSelector", |selector| selector.selector("labels"));
    if workload_selector.is_some() && resolution == Resolution::None {
        fields.cursor.warn("`workloadSelector` has no effect with resolution NONE");
    }
    let location = fields.get("location", |field| {
        field.one_of(&[("MESH_EXTERNAL", Location::MeshExternal), ("MESH_INTERNAL", Location::MeshInternal)])
    });
    let entry = ServiceEntry {
        hosts,
        addresses,
        ports,
        location: location.unwrap_or_default(),
        resolution,
        endpoints,
        workload_selector,
        export_to: fields.export_to(true),
        subject_alt_names: fields.list("subjectAltNames", |at| at.string()),
    };
    endpoints_fit(fields.cursor, &entry);
    hosts_fit(fields.cursor, &entry);
    Some(entry)
}

/// Of a ServiceEntry only what it is called, and for whom: where a service is does not matter to a filter.
pub(crate) fn decode_names(fields: &Object<'_>) -> Option<ServiceEntry> {
    fields.ignore_rest();
    Some(ServiceEntry {
        hosts: hosts(fields, Resolution::default()),
        ports: ports(fields),
        export_to: fields.export_to(true),
        ..ServiceEntry::default()
    })
}

fn hosts(fields: &Object<'_>, resolution: Resolution) -> Vec<HostPattern> {
    let hosts = fields.required("hosts", |field| {
        let hosts = field.list(|host| {
            let text = host.string()?;
            if text == "*" {
                host.error("`*` can't be the host of a ServiceEntry");
                return None;
            }
            if check::names::is_partial_wildcard(&text) && resolution != Resolution::DynamicDns {
                host.warn_hint(format_args!("`{text}` covers a part of a label"), "begin it with `*.`");
            }
            host.checked(check::names::wildcard_host).map(|text| HostPattern::parse(&text))
        });
        if matches!(&field.node.value, crate::node::Value::Sequence(items) if items.is_empty() || items.len() > MOST_HOSTS) {
            field.error(format_args!("there must be 1 to {MOST_HOSTS} hosts"));
        }
        Some(hosts)
    });
    hosts.unwrap_or_default()
}

fn ports(fields: &Object<'_>) -> Vec<Port> {
    let needs = PortNeeds { number: true, name: true, protocol: false, target_port: true };
    let ports = fields.list("ports", |port| {
        let decoded = port.object(|fields| {
            fields.get("name", |name| name.checked(check::names::dns_label));
            fields.port(needs)
        })?;
        Some(decoded)
    });
    let names: Vec<_> = ports.iter().map(|port| port.name.as_str()).collect();
    fields.repeated("ports", "port name", &names);
    let numbers: Vec<_> = ports.iter().map(|port| port.number.to_string()).collect();
    fields.repeated("ports", "port", &numbers.iter().map(String::as_str).collect::<Vec<_>>());
    ports
}

fn endpoints_fit(spec: &Cursor<'_>, entry: &ServiceEntry) {
    let unknown_port = |endpoint: &WorkloadEntry| {
        endpoint.ports.keys().find(|name| entry.ports.iter().all(|port| port.name != **name)).cloned()
    };
    if let Some(name) = entry.endpoints.iter().find_map(unknown_port) {
        spec.error(format_args!("an endpoint has a port `{name}`, which is not among `ports`"));
    }
    let several = entry.endpoints.len();
    match entry.resolution {
        Resolution::None if several > 0 => spec.error_hint(
            "resolution NONE sends requests where the client wanted, so there can be no `endpoints`",
            "set `resolution: STATIC` or `DNS`",
        ),
        Resolution::DynamicDns if several > 0 => spec.error("resolution DYNAMIC_DNS has no `endpoints`"),
        Resolution::DnsRoundRobin if several > 1 => {
            spec.error("resolution DNS_ROUND_ROBIN takes one endpoint at most")
        }
        Resolution::Static => {
            for endpoint in &entry.endpoints {
                match &endpoint.address {
                    Address::Dns(name) => spec.error_hint(
                        format_args!("endpoint `{name}` is not an IP address, as resolution STATIC wants it"),
                        "set `resolution: DNS`",
                    ),
                    Address::Unix(_) if entry.ports.len() != 1 => {
                        spec.error("a unix socket as endpoint needs exactly one of `ports`");
                    }
                    _ => {}
                }
            }
        }
        Resolution::Dns | Resolution::DnsRoundRobin => {
            if entry
                .endpoints
                .iter()
                .any(|endpoint| matches!(endpoint.address, Address::Unix(_) | Address::Network))
            {
                spec.error("endpoints of resolution DNS must be host names or IP addresses");
            }
        }
        Resolution::None | Resolution::DynamicDns => {}
    }
}

fn hosts_fit(spec: &Cursor<'_>, entry: &ServiceEntry) {
    let wildcards = entry.hosts.iter().filter(|host| host.is_wildcard()).count();
    match entry.resolution {
        Resolution::Dns | Resolution::DnsRoundRobin if entry.endpoints.is_empty() && wildcards > 0 => {
            spec.error(
                "resolution DNS without `endpoints` looks up the `hosts`, so they can't have wildcards",
            );
        }
        Resolution::DynamicDns => {
            if wildcards < entry.hosts.len() {
                spec.error("resolution DYNAMIC_DNS needs wildcard `hosts`");
            }
            if !entry.addresses.is_empty() {
                spec.error("resolution DYNAMIC_DNS has no `addresses`");
            }
            let fits = |port: &Port| {
                matches!(port.protocol, Protocol::Http | Protocol::Tls | Protocol::Grpc | Protocol::Http2)
            };
            if !entry.ports.iter().all(fits) {
                spec.error("resolution DYNAMIC_DNS needs ports of protocol HTTP, HTTP2, GRPC or TLS");
            }
        }
        _ => {}
    }
    let told_apart =
        |port: &Port| port.protocol.is_http() || matches!(port.protocol, Protocol::Https | Protocol::Tls);
    if entry.hosts.len() > 1 && entry.resolution != Resolution::None && !entry.ports.iter().all(told_apart) {
        spec.error_hint(
            "several `hosts` can't be told apart on a port that is neither HTTP nor TLS",
            "give the port its `protocol`, or write a ServiceEntry for each host",
        );
    }
}
