//! Services of Kubernetes: what is spoken at their ports, and whom they are for.

use outrigger_api::types::kubernetes::ServicePort;
use outrigger_api::{Resource, Spec};

use super::codes;
use super::finding::{Finding, Level};

/// Prefixes of port names that Istio knows.
const PROTOCOLS: [&str; 11] =
    ["grpc", "grpc-web", "http", "http2", "https", "mongo", "mysql", "redis", "tcp", "tls", "udp"];

/// Istio's annotation for whom a Service is there.
const EXPORT_TO: &str = "networking.istio.io/exportTo";

/// Looks at the names of all service ports, and at annotations.
pub(super) fn check(resources: &[Resource], findings: &mut Vec<Finding>) {
    for resource in resources {
        let Spec::Service(service) = &resource.spec else { continue };
        findings.extend(exported(resource));
        for (at, port) in service.ports.iter().enumerate().filter(|(_, port)| !says_protocol(port)) {
            let path = format!("spec.ports[{at}]");
            let message = match port.name.as_str() {
                "" => format!("port {} has no name, so nothing says its protocol", port.port),
                name => format!("the name `{name}` of port {} does not begin with a protocol", port.port),
            };
            let hint = format!("name it like `http` or `http-{}`, or set `appProtocol`", resource.meta.name);
            findings.push(Finding::new(codes::PORT_NAME, Level::Info, resource, &path, message).hint(hint));
        }
    }
}

/// Every Service is known everywhere.
fn exported(resource: &Resource) -> Option<Finding> {
    resource.meta.annotations.get(EXPORT_TO).filter(|namespaces| namespaces.trim() != "*")?;
    let message = format!("`{EXPORT_TO}` does nothing: this Service is known in every namespace");
    let hint =
        "the `egress` of Sidecars says what workloads know, and `exportTo` of a ServiceEntry for whom it is";
    let path = format!("metadata.annotations[\"{EXPORT_TO}\"]");
    let code = codes::ANNOTATION_WITHOUT_EFFECT;
    Some(Finding::new(code, Level::Warning, resource, &path, message).hint(hint.to_owned()))
}

fn says_protocol(port: &ServicePort) -> bool {
    let name = port.name.to_ascii_lowercase();
    let prefix = name.split('-').next().unwrap_or_default();
    port.protocol == "UDP" || port.app_protocol.is_some() || PROTOCOLS.contains(&prefix)
}
