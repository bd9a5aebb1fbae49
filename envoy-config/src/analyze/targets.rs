//! What policies are for by reference.

use outrigger_api::types::common::{Target, TargetRef};
use outrigger_api::{Resource, Spec};

/// Each `targetRef` of a resource, with the path of its field.
pub(super) fn references(resource: &Resource) -> impl Iterator<Item = (String, &TargetRef)> {
    let target = match &resource.spec {
        Spec::AuthorizationPolicy(policy) => Some(&policy.target),
        Spec::RequestAuthentication(authentication) => Some(&authentication.target),
        Spec::Telemetry(telemetry) => Some(&telemetry.target),
        _ => None,
    };
    let references = match target {
        Some(Target::Refs(references)) => references.as_slice(),
        _ => &[],
    };
    let single = resource.node.get("spec").is_some_and(|spec| spec.get("targetRef").is_some());
    references.iter().enumerate().map(move |(at, target)| {
        let path = if single { "spec.targetRef".to_owned() } else { format!("spec.targetRefs[{at}]") };
        (path, target)
    })
}
