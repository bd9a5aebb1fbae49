//! Servers that AuthorizationPolicies with `action: CUSTOM` name.

use outrigger_api::select;
use outrigger_api::types::authorization_policy::{Action, AuthorizationPolicy};
use outrigger_api::{Direction, Proxy, Resource, Role, Spec};

use super::codes;
use super::compile::workload_of;
use super::finding::{Finding, Level};
use super::registry::{closest, did_you_mean};
use crate::mesh_config::MeshConfig;
use crate::render::authz::{Scope, Unusable, usable};

/// Looks at each such policy, and at those that hold for one workload together.
pub(super) fn check(resources: &[Resource], proxy: &Proxy, mesh: &MeshConfig, findings: &mut Vec<Finding>) {
    for (resource, policy, provider) in custom(resources) {
        let scope = Scope { resources, proxy, mesh };
        match usable(&scope, provider) {
            Ok(_) => second(resources, resource, policy, proxy, findings),
            Err(unusable) => findings.push(nobody(resource, (provider, policy.dry_run), &unusable, mesh)),
        }
        if policy.dry_run {
            let message = "this policy is tried out: the server is asked, and nobody is refused";
            let path = "metadata.annotations";
            findings.push(Finding::new(codes::TRIED_OUT, Level::Info, resource, path, message.to_owned()));
        }
    }
}

fn custom(resources: &[Resource]) -> impl Iterator<Item = (&Resource, &AuthorizationPolicy, &str)> {
    resources.iter().filter_map(|resource| match &resource.spec {
        Spec::AuthorizationPolicy(policy) => match &policy.action {
            Action::Custom { provider } => Some((resource, policy, provider.as_str())),
            _ => None,
        },
        _ => None,
    })
}

/// `dry_run`: the policy is only tried out, and left out.
fn nobody(
    resource: &Resource,
    (provider, dry_run): (&str, bool),
    unusable: &Unusable,
    mesh: &MeshConfig,
) -> Finding {
    let path = "spec.provider.name";
    let then = match dry_run {
        true => "this policy, which is tried out, does nothing",
        false => "what this policy matches is refused",
    };
    match unusable {
        Unusable::Unknown => {
            let known: Vec<_> = mesh.extension_providers.iter().map(|one| one.name.as_str()).collect();
            let message =
                format!("no extension provider that authorizes requests is called `{provider}`: {then}");
            let hint = match (did_you_mean(closest(provider, known.iter().copied())), known.as_slice()) {
                (Some(meant), _) => meant,
                (None, []) => {
                    "give the mesh configuration that has it under `extensionProviders` by `--mesh-config`"
                        .to_owned()
                }
                (None, known) => format!("there is `{}`", known.join("`, `")),
            };
            Finding::new(codes::UNKNOWN_PROVIDER, Level::Error, resource, path, message).hint(hint)
        }
        Unusable::Misconfigured(why) => {
            let message = format!("extension provider `{provider}` can't be asked: {why}; {then}");
            Finding::new(codes::UNKNOWN_PROVIDER, Level::Error, resource, path, message)
        }
    }
}

/// Istio asks one server for a workload: with a second one all of their policies refuse.
fn second(
    resources: &[Resource],
    resource: &Resource,
    policy: &AuthorizationPolicy,
    proxy: &Proxy,
    findings: &mut Vec<Finding>,
) {
    let Action::Custom { provider } = &policy.action else { return };
    if policy.dry_run {
        return;
    }
    let inbound = Proxy { direction: Some(Direction::Inbound), ..proxy.clone() };
    let own = if proxy.role == Role::Sidecar { inbound } else { proxy.clone() };
    let workloads = [Some(own), workload_of(resource, proxy)];
    let other = workloads.into_iter().flatten().find_map(|workload| {
        let holds = |target, namespace: &str| select::applies(target, namespace, &workload);
        if !holds(&policy.target, &resource.meta.namespace) {
            return None;
        }
        custom(resources).find(|(other, policy, name)| {
            !policy.dry_run && name != provider && holds(&policy.target, &other.meta.namespace)
        })
    });
    if let Some((other, _, name)) = other {
        let message = format!(
            "a workload of this policy is also to ask `{name}`, as `{}` says, and there can be one server for a \
             workload: what either matches is refused",
            other.id()
        );
        let hint = "give both policies the same provider, or selectors for different workloads".to_owned();
        let (code, path) = (codes::SECOND_PROVIDER, "spec.provider.name");
        findings.push(Finding::new(code, Level::Warning, resource, path, message).hint(hint));
    }
}
