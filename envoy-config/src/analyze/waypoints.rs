//! Policies for waypoints, which no proxy here is.

use outrigger_api::Resource;
use outrigger_api::types::common::TargetKind;

use super::codes;
use super::finding::{Finding, Level};
use super::targets::references;

/// Names each target that only a waypoint has.
pub(super) fn check(resources: &[Resource], findings: &mut Vec<Finding>) {
    for resource in resources {
        for (path, target) in references(resource) {
            let kind = match target.kind {
                TargetKind::Gateway => continue,
                TargetKind::GatewayClass => "a GatewayClass",
                TargetKind::Service => "a Service",
                TargetKind::ServiceEntry => "a ServiceEntry",
            };
            let message =
                format!("{kind} as target is for waypoints, which no proxy here is: it stands for nothing");
            let hint = "choose workloads by `selector`, or a gateway by a target of kind Gateway".to_owned();
            let finding = Finding::new(codes::UNSUPPORTED, Level::Warning, resource, &path, message);
            findings.push(finding.hint(hint));
        }
    }
}
