//! What Istio would do with the resources and this build does not: said, never swallowed. It is an error where the
//! proxy would be less safe than Istio's.

use outrigger_api::select::sidecar::sidecar;
use outrigger_api::types::common::GatewayRef;
use outrigger_api::types::gateway::{Gateway, ServerTlsMode};
use outrigger_api::types::sidecar::Sidecar;
use outrigger_api::types::telemetry::{MetricSelector, Telemetry};
use outrigger_api::types::virtual_service::VirtualService;
use outrigger_api::{Proxy, Resource, Role, Spec};
use outrigger_core::telemetry::Metric;

use super::codes;
use super::finding::{Finding, Level};
use super::suppress::ANNOTATION;

/// Looks at each resource by itself.
pub(super) fn check(resources: &[Resource], proxy: &Proxy, findings: &mut Vec<Finding>) {
    let own = sidecar(resources, proxy);
    for resource in resources {
        match &resource.spec {
            Spec::Gateway(gateway) => servers(resource, gateway, proxy, findings),
            Spec::VirtualService(service) => {
                // Of its own routes a sidecar says it itself.
                if proxy.role == Role::Gateway {
                    connections(resource, service, findings);
                }
                stat_prefixes(resource, service, findings);
            }
            Spec::Telemetry(telemetry) => {
                connection_metrics(resource, telemetry, findings);
                intervals(resource, telemetry, findings);
            }
            Spec::WorkloadGroup => {
                let message = "nobody takes registrations of workloads here: each needs a WorkloadEntry";
                push(resource, Level::Info, "spec", message, findings);
            }
            Spec::Sidecar(sidecar) if own.is_none_or(|(own, _)| own.id() != resource.id()) => {
                sidecar_ports(resource, sidecar, findings);
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

/// Switched off is what they are anyway.
fn connection_metrics(resource: &Resource, telemetry: &Telemetry, findings: &mut Vec<Finding>) {
    for ((entry, index), change) in telemetry.metric_overrides() {
        let MetricSelector::Standard(metric) = change.metric else { continue };
        let off = change.disabled == Some(true) && change.tag_overrides.is_empty();
        if Metric::of(metric).is_none() && !off {
            let path = format!("spec.metrics[{entry}].overrides[{index}].match.metric");
            let message = "connections are not measured: the metrics `istio_tcp_…` are not there";
            push(resource, Level::Warning, &path, message, findings);
        }
    }
}

/// Istio measures what goes on by connections and streams in between, too.
fn intervals(resource: &Resource, telemetry: &Telemetry, findings: &mut Vec<Finding>) {
    let entries = telemetry.metrics.iter().enumerate();
    for (entry, _) in entries.filter(|(_, entry)| entry.reporting_interval.is_some()) {
        let path = format!("spec.metrics[{entry}].reportingInterval");
        let message = "`reportingInterval` changes nothing: a request is measured when it ends, also a long \
                       stream of gRPC, and connections are not measured";
        push(resource, Level::Warning, &path, message, findings);
    }
}

/// What another sidecar would not open. Of this proxy's own Sidecar rendering says it.
fn sidecar_ports(resource: &Resource, sidecar: &Sidecar, findings: &mut Vec<Finding>) {
    for (at, listener) in sidecar.egress.iter().enumerate() {
        if listener.port.as_ref().is_some_and(|port| !port.protocol.may_be_http()) {
            let path = format!("spec.egress[{at}].port.protocol");
            let message = "egress listeners are carried out for HTTP only: nothing would listen on this port";
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
