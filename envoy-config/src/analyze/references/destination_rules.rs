//! What a DestinationRule is about, and how far it trusts the servers.

use outrigger_api::Resource;
use outrigger_api::types::destination_rule::{ClientTls, ClientTlsMode, DestinationRule};

use crate::analyze::codes;
use crate::analyze::finding::{Finding, Level};
use crate::analyze::registry::Registry;

/// Looks up the host and the subsets of a DestinationRule.
pub(super) fn check(
    resource: &Resource,
    rule: &DestinationRule,
    registry: &Registry<'_>,
    findings: &mut Vec<Finding>,
) {
    certificates(resource, rule, findings);
    if rule.host.is_wildcard() {
        return;
    }
    let host = registry.resolve(&rule.host.to_string(), &resource.meta.namespace);
    for (at, subset) in rule.subsets.iter().enumerate() {
        if registry.chooses_nothing(&host, &subset.labels) {
            let path = format!("spec.subsets[{at}].labels");
            let message =
                format!("no endpoint of `{}` has the labels of subset `{}`", rule.host, subset.name);
            // An error for istioctl, which only looks. Here it would stop a change that takes the last one away, and go on
            // sending requests to it; an empty cluster answers 503 as in the mesh.
            let finding =
                Finding::new(codes::SUBSET_SELECTS_NOTHING, Level::Warning, resource, &path, message);
            findings.push(finding.hint(Some("requests for it get 503".to_owned())));
        }
    }
    let known = registry.services().next().is_some();
    if known && !registry.has_service(&host) && !registry.any_broken(&["Service", "ServiceEntry"]) {
        let code = codes::UNKNOWN_DESTINATION_RULE_HOST;
        let message = format!("no Service or ServiceEntry has the host `{}`", rule.host);
        let finding = Finding::new(code, Level::Warning, resource, "spec.host", message);
        findings.push(finding.hint(registry.suggest(&host)));
    }
}

/// Where nothing is verified the server may be anyone. As Istio does, this looks at the rule's own policy, not at its
/// subsets'. Without `caCertificates` the authorities that this machine trusts count.
fn certificates(resource: &Resource, rule: &DestinationRule, findings: &mut Vec<Finding>) {
    let Some(policy) = &rule.traffic_policy else { return };
    let own = policy.settings.tls.iter().map(|tls| ("spec.trafficPolicy.tls".to_owned(), tls, false));
    let ports = policy.port_level_settings.iter().enumerate().filter_map(|(at, port)| {
        Some((format!("spec.trafficPolicy.portLevelSettings[{at}].tls"), port.settings.tls.as_ref()?, true))
    });
    for (path, _, of_port) in own.chain(ports).filter(|(_, tls, _)| trusts_anyone(tls)) {
        let code = if of_port { codes::UNVERIFIED_SERVER_OF_PORT } else { codes::UNVERIFIED_SERVER };
        let message = format!("the certificate of `{}` is not verified", rule.host);
        let hint = "name the file with the CA that issued it in `caCertificates` instead".to_owned();
        let path = format!("{path}.insecureSkipVerify");
        findings.push(Finding::new(code, Level::Warning, resource, &path, message).hint(hint));
    }
}

fn trusts_anyone(tls: &ClientTls) -> bool {
    matches!(tls.mode, ClientTlsMode::Simple | ClientTlsMode::Mutual)
        && tls.insecure_skip_verify == Some(true)
}
