//! What Istio would do with the resources and this build does not: said, never swallowed. It is an error where the
//! proxy would be less safe than Istio's.

use outrigger_api::types::common::GatewayRef;
use outrigger_api::types::gateway::{Gateway, ServerTlsMode};
use outrigger_api::types::peer_authentication::{MtlsMode, PeerAuthentication};
use outrigger_api::types::virtual_service::VirtualService;
use outrigger_api::{Proxy, Resource, Role, Spec};

use super::codes;
use super::finding::{Finding, Level};
use super::suppress::ANNOTATION;

/// Looks at each resource by itself.
pub(super) fn check(resources: &[Resource], proxy: &Proxy, findings: &mut Vec<Finding>) {
    for resource in resources {
        match &resource.spec {
            Spec::PeerAuthentication(authentication) => {
                peer_authentication(resource, authentication, proxy, findings);
            }
            Spec::Gateway(gateway) => servers(resource, gateway, proxy, findings),
            Spec::VirtualService(service) => {
                connections(resource, service, findings);
                stat_prefixes(resource, service, findings);
            }
            Spec::Telemetry(_) => {
                let message = "Telemetry is not carried out yet: the standard metrics keep Istio's defaults";
                push(resource, Level::Warning, "spec", message, findings);
            }
            Spec::Sidecar(sidecar) => {
                let message = "Sidecar is not carried out yet: every service stays reachable";
                let level = match (&sidecar.outbound_traffic_policy, proxy.role) {
                    (Some(_), Role::Sidecar) => Level::Error,
                    _ => Level::Warning,
                };
                push(resource, level, "spec", message, findings);
            }
            _ => {}
        }
    }
}

fn push(resource: &Resource, level: Level, path: &str, message: &str, findings: &mut Vec<Finding>) {
    let accept = format!(
        "the proxy would be less safe than Istio's; to accept that, annotate the resource with `{ANNOTATION}: {}`",
        codes::UNSUPPORTED
    );
    let hint = (level == Level::Error).then_some(accept);
    findings.push(Finding::new(codes::UNSUPPORTED, level, resource, path, message.to_owned()).hint(hint));
}

fn peer_authentication(
    resource: &Resource,
    authentication: &PeerAuthentication,
    proxy: &Proxy,
    findings: &mut Vec<Finding>,
) {
    let namespace = &resource.meta.namespace;
    let applies = match &authentication.selector {
        Some(selector) => *namespace == proxy.namespace && selector.matches(&proxy.labels),
        None => *namespace == proxy.namespace || *namespace == proxy.root_namespace,
    };
    let ports =
        authentication.port_level.iter().map(|(port, mode)| (format!("spec.portLevelMtls.{port}"), *mode));
    for (path, mode) in std::iter::once(("spec.mtls.mode".to_owned(), authentication.mode)).chain(ports) {
        match mode {
            MtlsMode::Strict => {
                // A gateway's own servers say how they are reached; PeerAuthentication is about sidecars.
                let unsafe_here = applies && proxy.role == Role::Sidecar;
                let level = if unsafe_here { Level::Error } else { Level::Warning };
                let message = "mutual TLS is not carried out yet: a sidecar would accept plain text here";
                push(resource, level, &path, message, findings);
            }
            MtlsMode::Permissive => {
                let message = "mutual TLS is not carried out yet: only plain text is accepted";
                push(resource, Level::Warning, &path, message, findings);
            }
            MtlsMode::Unset | MtlsMode::Disable => {}
        }
    }
}

/// Envoy counts by route only where a route of its own matches; here the filter does.
fn stat_prefixes(resource: &Resource, service: &VirtualService, findings: &mut Vec<Finding>) {
    for (rule, route) in service.http.iter().enumerate() {
        for (index, _) in route.matches.iter().enumerate().filter(|(_, entry)| entry.stat_prefix.is_some()) {
            let path = format!("spec.http[{rule}].match[{index}].statPrefix");
            let message = "`statPrefix` changes nothing: the filter chooses the route, so Envoy has no \
                           `vhost.*.route.*` statistics of it; Istio's metrics count its requests";
            push(resource, Level::Warning, &path, message, findings);
        }
    }
}

/// What a gateway with these labels would not open. Of this proxy's own servers rendering says it.
fn servers(resource: &Resource, gateway: &Gateway, proxy: &Proxy, findings: &mut Vec<Finding>) {
    if proxy.role == Role::Gateway && gateway.selector.matches(&proxy.labels) {
        return;
    }
    for (at, server) in gateway.servers.iter().enumerate() {
        if server.tls.as_ref().is_some_and(|tls| tls.mode == ServerTlsMode::AutoPassthrough) {
            let message = "AUTO_PASSTHROUGH is not carried out: nothing would listen on this port";
            push(resource, Level::Warning, &format!("spec.servers[{at}].tls.mode"), message, findings);
        }
    }
}

/// At a gateway they are carried out.
fn connections(resource: &Resource, service: &VirtualService, findings: &mut Vec<Finding>) {
    if !service.gateways.contains(&GatewayRef::Mesh) {
        return;
    }
    let lists = [("tls", service.tls.len()), ("tcp", service.tcp.len())];
    for (field, _) in lists.into_iter().filter(|(_, entries)| *entries > 0) {
        let message = format!("`{field}` routes of the mesh are not carried out yet: only HTTP is routed");
        push(resource, Level::Warning, &format!("spec.{field}"), &message, findings);
    }
}
