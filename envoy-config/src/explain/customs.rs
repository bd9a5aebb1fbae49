//! Servers that policies with `action: CUSTOM` have asked before all else, as the rendered filters do.

use outrigger_api::types::authorization_policy::{Action, AuthorizationPolicy};
use outrigger_api::{Problem, Proxy, Resource, Spec};
use outrigger_core::Request;
use outrigger_core::authz::{Ask, Policies};

use super::authz::{Asked, Rule};
use crate::mesh_config::MeshConfig;
use crate::render::authz::{Applied, Scope, custom, refused_name};

/// What these policies make of a request.
#[derive(Debug)]
pub(super) enum Asking {
    /// Nobody is asked.
    Nobody,
    /// A server is.
    Server(Asked),
    /// The rule wants a server to be asked that can't be: the request is refused, for this reason, with these response code
    /// details.
    Refused { asked: Asked, details: String },
}

/// What becomes of `request` before the filters of ours see it.
///
/// # Errors
/// Rules that can't be carried out.
pub(super) fn asked(
    resources: &[Resource],
    proxy: &Proxy,
    mesh: &MeshConfig,
    request: &Request<'_>,
) -> Result<Asking, Vec<Problem>> {
    let custom = custom(&Scope { resources, proxy, mesh });
    // All that is to be refused is one filter of DENY rules.
    let refusing: Vec<_> = custom.refused.iter().map(refusal).collect();
    let refusing = Policies::compile(&refusing, proxy, &[])?;
    if let Some(rule) = refusing.decide(request).rule {
        let policy = custom.refused.iter().find(|(resource, _)| resource.id() == *rule.resource);
        let (name, provider) = policy
            .map(|(resource, policy)| (refused_name(resource, rule.rule), provider(policy).to_owned()))
            .unwrap_or_default();
        let details = format!("rbac_access_denied_matched_policy[{name}]");
        let asked = Asked { provider, rule: Rule::of(rule), dry_run: false, refused: true };
        return Ok(Asking::Refused { asked, details });
    }
    // Those that are tried out come last: if one that counts is asked too, that is told.
    for asked in &custom.asked {
        let policies: Vec<_> = asked.policies.iter().map(|(resource, _)| (*resource).clone()).collect();
        let policies = Policies::compile(&policies, proxy, &mesh.extension_providers)?;
        if let Some(ask) = policies.customs().iter().find_map(|custom| custom.ask(request)) {
            return Ok(Asking::Server(of(&ask)));
        }
    }
    Ok(Asking::Nobody)
}

fn of(ask: &Ask<'_>) -> Asked {
    let Ask { provider, rule, dry_run } = ask;
    Asked { provider: provider.name.clone(), rule: Rule::of(rule), dry_run: *dry_run, refused: false }
}

fn provider(policy: &AuthorizationPolicy) -> &str {
    match &policy.action {
        Action::Custom { provider } => provider,
        _ => "",
    }
}

/// The same policy with DENY for its action.
fn refusal((resource, policy): &Applied<'_>) -> Resource {
    let policy = AuthorizationPolicy { action: Action::Deny, ..(*policy).clone() };
    Resource { spec: Spec::AuthorizationPolicy(policy), ..(*resource).clone() }
}
