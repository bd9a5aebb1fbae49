//! WorkloadEntry, also as an endpoint of a ServiceEntry.

use super::{
    cursor::{Cursor, shorten},
    object::Object,
};
use crate::{
    check, ordered,
    types::workload_entry::{Address, WorkloadEntry},
};

pub(crate) fn decode(fields: &Object<'_>) -> Option<WorkloadEntry> {
    let network = fields.text("network");
    let address = match fields.get("address", address) {
        None if !fields.has("address") && network.is_some() => {
            fields
                .cursor
                .warn("`address` is missing: the workload can only be reached by its network's gateway");
            Some(Address::Network)
        }
        None if !fields.has("address") => {
            fields.cursor.error("missing `address`");
            None
        }
        address => address,
    };
    let ports = fields.get("ports", |ports| {
        if matches!(address, Some(Address::Unix(_))) {
            ports.error("a unix socket has no `ports`");
        }
        Some(ports.map(|name, port| {
            if let Err(reason) = check::names::dns_label(name) {
                port.error(format_args!("`{}` {reason}", shorten(name)));
            }
            port.port()
        }))
    });
    let labels = fields.get("labels", |at| at.labels()).unwrap_or_default();
    let locality = fields.text("locality");
    let weight = fields.get("weight", |at| at.unsigned());
    let service_account = fields.text("serviceAccount");
    Some(WorkloadEntry {
        address: address?,
        ports: ordered::map(ports.unwrap_or_default()),
        labels,
        network,
        locality,
        weight,
        service_account,
    })
}

fn address(address: &Cursor<'_>) -> Option<Address> {
    address.parsed(|text| {
        if let Some(path) = text.strip_prefix("unix://") {
            return unix_path(path).map(|()| Address::Unix(path.to_owned()));
        }
        match text.parse() {
            Ok(ip) => Ok(Address::Ip(ip)),
            Err(_) => check::names::host(text).map(|()| Address::Dns(text.to_owned())),
        }
    })
}

/// The path of a unix socket: absolute, or abstract with `@` in front.
pub(crate) fn unix_path(path: &str) -> Result<(), String> {
    let good = path.starts_with('@') || (path.starts_with('/') && !path.ends_with('/'));
    if good { Ok(()) } else { Err("is not the absolute path of a socket".to_owned()) }
}
