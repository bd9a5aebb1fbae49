//! Policies for waypoints, which no proxy here is.

use outrigger_api::types::common::{Target, TargetKind};
use outrigger_api::{Resource, Spec};

use super::codes;
use super::finding::{Finding, Level};

/// Names each target that only a waypoint has.
pub(super) fn check(resources: &[Resource], findings: &mut Vec<Finding>) {
    for resource in resources {
        let target = match &resource.spec {
            Spec::AuthorizationPolicy(policy) => &policy.target,
            Spec::RequestAuthentication(authentication) => &authentication.target,
            Spec::Telemetry(telemetry) => &telemetry.target,
            _ => continue,
        };
        let Target::Refs(refs) = target else { continue };
        let single = resource.node.get("spec").is_some_and(|spec| spec.get("targetRef").is_some());
        for (at, target) in refs.iter().enumerate() {
            let kind = match target.kind {
                TargetKind::Gateway => continue,
                TargetKind::GatewayClass => "a GatewayClass",
                TargetKind::Service => "a Service",
                TargetKind::ServiceEntry => "a ServiceEntry",
            };
            let path = if single { "spec.targetRef".to_owned() } else { format!("spec.targetRefs[{at}]") };
            let message =
                format!("{kind} as target is for waypoints, which no proxy here is: it stands for nothing");
            let hint = "choose workloads by `selector`, or a gateway by a target of kind Gateway".to_owned();
            let finding = Finding::new(codes::UNSUPPORTED, Level::Warning, resource, &path, message);
            findings.push(finding.hint(hint));
        }
    }
}
