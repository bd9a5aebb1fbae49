//! The same configurations as native Envoy routes, written the way istiod writes them (its
//! `pilot/pkg/networking/core/gateway.go` and `core/route/route.go`).
//!
//! This shares nothing with the product: it reads the resources as they are written, and refuses every field that it does
//! not translate.

mod action;
mod cluster;
mod cors;
mod delegate;
mod headers;
mod hosts;
mod listener;
mod matches;
mod retries;
mod route;

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

pub(super) use self::cluster::clusters;
pub(super) use self::listener::listener;
use super::configuration::Configuration;
use super::fields::{self, items, only, text};

/// Who the gateway is.
pub(super) const NAMESPACE: &str = "default";
/// Its labels.
pub(super) const LABELS: [(&str, &str); 2] = [("istio", "ingressgateway"), ("app", "istio-ingressgateway")];

/// The virtual hosts of `configuration` on the Gateways' servers with `port`.
///
/// # Errors
/// A field that is not translated.
pub(super) fn virtual_hosts(configuration: &Configuration, port: u16) -> Result<Vec<Value>> {
    let mut hosts: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for gateway in configuration.kind("Gateway") {
        only(&gateway["spec"], &["selector", "servers"])?;
        let name = format!("{}/{}", namespace(gateway), text(&gateway["metadata"], "name"));
        // Routes are made once for each Gateway, however many of its servers they stand on.
        let mut made: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for server in items(&gateway["spec"], "servers") {
            only(server, &["port", "hosts"])?;
            if server["port"]["number"] != port {
                continue;
            }
            for service in ordered(configuration, &name) {
                let attached = hosts::attached(server, service, namespace(service));
                if attached.is_empty() {
                    continue;
                }
                let key = format!("{}/{}", text(&service["metadata"], "name"), namespace(service));
                if !made.contains_key(&key) {
                    let merged = delegate::merged(configuration, service);
                    made.insert(key.clone(), route::routes(&merged, &name, port)?);
                }
                let routes = &made[&key];
                if routes.is_empty() {
                    continue;
                }
                for host in attached {
                    hosts.entry(host).or_default().extend(routes.iter().cloned());
                }
            }
        }
    }
    let virtual_host = |(host, routes): (String, Vec<Value>)| {
        let (last, first): (Vec<_>, Vec<_>) = routes.into_iter().partition(route::is_catch_all);
        json!({
            "name": format!("{host}:{port}"), "domains": [host], "include_request_attempt_count": true,
            "routes": first.into_iter().chain(last).collect::<Vec<_>>(),
        })
    };
    Ok(hosts.into_iter().map(virtual_host).collect())
}

/// The VirtualServices of a Gateway: those that only this namespace sees, then those that are exported to it by name,
/// then the others; each group the oldest first.
fn ordered<'c>(configuration: &'c Configuration, gateway: &str) -> Vec<&'c Value> {
    let group = |service: &Value| match items(&service["spec"], "exportTo").first().and_then(Value::as_str) {
        None | Some("*") => Some(2),
        Some(name) if name == "." || name == namespace(service) => {
            (namespace(service) == NAMESPACE).then_some(0)
        }
        Some(name) => (name == NAMESPACE).then_some(1),
    };
    let named = |service: &Value| {
        items(&service["spec"], "gateways")
            .iter()
            .filter_map(Value::as_str)
            .any(|name| hosts::qualified(name, namespace(service)) == gateway)
    };
    let key = |service: &Value| {
        let meta = &service["metadata"];
        let (created, name) = (text(meta, "creationTimestamp").to_owned(), text(meta, "name").to_owned());
        (group(service), created, name, namespace(service).to_owned())
    };
    let mut services: Vec<_> = configuration
        .kind("VirtualService")
        .filter(|service| {
            !items(&service["spec"], "hosts").is_empty() && named(service) && group(service).is_some()
        })
        .collect();
    services.sort_by_key(|service| key(service));
    services
}

fn namespace(resource: &Value) -> &str {
    text(&resource["metadata"], "namespace")
}

/// A check of the top level of a VirtualService.
fn check(service: &Value) -> Result<()> {
    only(&service["spec"], &["hosts", "gateways", "http", "exportTo"])?;
    ensure!(items(&service["spec"], "exportTo").len() <= 1, "one namespace in exportTo at most");
    Ok(())
}

/// Whether some request to `configuration` may end in several ways: a destination is drawn, or one of its endpoints.
pub(super) fn draws(configuration: &Configuration) -> bool {
    let mut rules = configuration.kind("VirtualService").flat_map(|service| items(&service["spec"], "http"));
    rules.any(|rule| {
        let destinations = items(rule, "route");
        destinations.iter().filter(|entry| action::weight(entry) > 0).count() > 1
            || destinations.iter().any(|entry| cluster::has_choice(&entry["destination"]))
            || rule.get("mirror").is_some_and(cluster::has_choice)
            || items(rule, "mirrors").iter().any(|entry| cluster::has_choice(&entry["destination"]))
    })
}

/// Whether copies are sent of some request to `configuration`.
pub(super) fn copies(configuration: &Configuration) -> bool {
    let mut rules = configuration.kind("VirtualService").flat_map(|service| items(&service["spec"], "http"));
    rules.any(|rule| rule.get("mirror").is_some() || rule.get("mirrors").is_some())
}
