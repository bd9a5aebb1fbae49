//! What the DestinationRules of a host say for one of its ports, checked.

use outrigger_api::Problem;
use outrigger_api::select::DestinationRules;
use outrigger_api::types::destination_rule::{PolicySettings, Subset};

use super::policy::check;

/// What is said for a port of a subset.
///
/// # Errors
/// What is not carried out.
pub(super) fn settings<'r>(
    rules: &DestinationRules<'r>,
    port: u16,
    subset: Option<&'r Subset>,
) -> Result<PolicySettings, Vec<Problem>> {
    let mut problems = Vec::new();
    if let Some((resource, policy)) = rules.policy() {
        problems.append(&mut check(resource, "spec.trafficPolicy", policy));
    }
    if let Some(subset) = subset
        && let Some(policy) = &subset.traffic_policy
        && let Some((resource, index)) = rules.place(subset)
    {
        problems.append(&mut check(resource, &format!("spec.subsets[{index}].trafficPolicy"), policy));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let layers = rules.settings(port, subset);
    Ok(PolicySettings {
        load_balancer: layers.iter().find_map(|settings| settings.load_balancer.clone()),
        connection_pool: layers.iter().find_map(|settings| settings.connection_pool.clone()),
        outlier_detection: layers.iter().find_map(|settings| settings.outlier_detection.clone()),
        tls: layers.iter().find_map(|settings| settings.tls.clone()),
    })
}
