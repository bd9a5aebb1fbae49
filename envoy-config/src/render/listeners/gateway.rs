//! The ports of a gateway: those of the servers of its Gateways.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use outrigger_api::problem::code;
use outrigger_api::resource::{Resource, Spec};
use outrigger_api::types::common::Labels;
use outrigger_api::types::gateway::Server;
use outrigger_api::{Problem, Proxy};

use super::{Bind, Chain, Plan, Traffic};
use crate::credentials::Credentials;
use crate::envoy::listener::TrafficDirection;
use crate::render::options::Options;
use crate::render::problems;
use crate::render::secrets::Secrets;

/// A listener for each port.
pub(super) fn plan(
    resources: &[Resource],
    proxy: &Proxy,
    options: &Options,
    _credentials: &Credentials<'_>,
    _secrets: &mut Secrets,
) -> Result<(Vec<Plan>, Vec<Problem>), Vec<Problem>> {
    let (mut plans, mut found) = (BTreeMap::new(), Vec::new());
    for resource in resources {
        let Spec::Gateway(gateway) = &resource.spec else { continue };
        if !gateway.selector.matches(&proxy.labels) {
            continue;
        }
        for (index, server) in gateway.servers.iter().enumerate() {
            let path = format!("spec.servers[{index}]");
            match address(resource, server, &path, options) {
                Ok(address) => {
                    let proxy = Proxy { port: Some(server.port.number), ..proxy.clone() };
                    let plan = Plan {
                        bind: Bind::Port(address),
                        direction: TrafficDirection::Outbound,
                        chains: vec![Chain::only(Traffic::Gateway, proxy)],
                    };
                    plans.insert(address, plan);
                }
                Err(problem) => found.push(*problem),
            }
        }
    }
    if plans.is_empty() && found.is_empty() {
        let message = format!("no Gateway selects a proxy with the labels {}", list(&proxy.labels));
        let hint = "a Gateway says where to listen; for rules of the mesh use `--role sidecar`";
        found.push(problems::whole(problems::NO_LISTENER, message, hint));
    }
    if found.is_empty() { Ok((plans.into_values().collect(), Vec::new())) } else { Err(found) }
}
fn address(
    resource: &Resource,
    server: &Server,
    path: &str,
    options: &Options,
) -> Result<SocketAddr, Box<Problem>> {
    if !server.port.protocol.is_http() {
        let protocol = format!("{:?}", server.port.protocol).to_uppercase();
        let what = format!("`{protocol}` on a Gateway port");
        let mut problem = problems::unsupported(resource, &format!("{path}.port.protocol"), &what);
        problem.hint = Some("`HTTP`, `HTTP2` and `GRPC` are".to_owned());
        return Err(Box::new(problem));
    }
    if server.tls.as_ref().is_some_and(|tls| tls.https_redirect) {
        return Err(Box::new(problems::unsupported(
            resource,
            &format!("{path}.tls.httpsRedirect"),
            "`httpsRedirect`",
        )));
    }
    let bind = match &server.bind {
        None => options.bind.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        Some(text) => text.parse().map_err(|_| {
            Box::new(resource.error(
                &format!("{path}.bind"),
                code::UNSUPPORTED,
                format!("binding to `{text}` is not carried out yet, only to an IP address"),
            ))
        })?,
    };
    Ok(SocketAddr::new(bind, options.mapped(server.port.number)))
}

fn list(labels: &Labels) -> String {
    let labels: Vec<_> = labels.iter().map(|(key, value)| format!("`{key}={value}`")).collect();
    if labels.is_empty() { "(none)".to_owned() } else { labels.join(", ") }
}
