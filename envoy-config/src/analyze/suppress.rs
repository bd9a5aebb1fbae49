//! Istio's annotation by which a resource keeps findings about itself quiet.

use std::collections::HashMap;

use outrigger_api::Resource;

use super::finding::Finding;

/// The annotation: codes separated by commas, or `*`.
pub(super) const ANNOTATION: &str = "galley.istio.io/analyze-suppress";

/// Drops the findings which their resource suppresses. A resource that could not be read suppresses nothing.
pub(super) fn suppress(findings: &mut Vec<Finding>, resources: &[Resource]) {
    let quiet: HashMap<_, _> = resources
        .iter()
        .filter_map(|resource| {
            let codes = resource.meta.annotations.get(ANNOTATION)?;
            Some(((resource.kind.as_str(), &*resource.meta.namespace, &*resource.meta.name), codes))
        })
        .collect();
    if quiet.is_empty() {
        return;
    }
    findings.retain(|finding| {
        let (Some(kind), Some(namespace), Some(name)) = (&finding.kind, &finding.namespace, &finding.name)
        else {
            return true;
        };
        let codes = quiet.get(&(kind.as_str(), namespace.as_str(), name.as_str()));
        !codes.is_some_and(|codes| {
            codes.split(',').map(str::trim).any(|code| code == "*" || code == finding.code)
        })
    });
}
