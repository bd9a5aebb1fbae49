//! From AuthorizationPolicies to rule sets.

use outrigger_api::problem::code;
use outrigger_api::types::authorization_policy::{Action, AuthorizationPolicy, Condition};
use outrigger_api::types::extension_provider::ExtensionProvider;
use outrigger_api::{Problem, Proxy, Resource, Spec, select};

use super::Policies;
use super::custom::{self, Custom};
use super::draft::{self, Draft};
use super::rule_set::RuleSet;
use crate::{Attributes, RuleRef};

/// Rules of one action; `None` until a policy with this action applies.
type Drafts = Option<Vec<(RuleRef, Draft)>>;

/// Compiles the policies that apply to `proxy`; the errors of all of them at once.
pub(super) fn compile(
    resources: &[Resource],
    proxy: &Proxy,
    providers: &[ExtensionProvider],
) -> Result<Policies, Vec<Problem>> {
    let mut problems = Vec::new();
    let (mut audit, mut deny, mut allow) = (Drafts::None, Drafts::None, Drafts::None);
    let (mut shadow_deny, mut shadow_allow) = (Drafts::None, Drafts::None);
    let mut shadow_allow_policies = Vec::new();
    let (mut custom, mut shadow_custom) = (None, None);
    for resource in resources {
        let Spec::AuthorizationPolicy(policy) = &resource.spec else { continue };
        if !select::applies(&policy.target, &resource.meta.namespace, proxy) {
            continue;
        }
        let kind = match (&policy.action, policy.dry_run) {
            (Action::Allow, false) => &mut allow,
            (Action::Allow, true) => &mut shadow_allow,
            (Action::Deny, false) => &mut deny,
            (Action::Deny, true) => &mut shadow_deny,
            // Istio knows no dry run of AUDIT: it changes no outcome anyway.
            (Action::Audit, _) => &mut audit,
            (Action::Custom { provider }, dry_run) => {
                let rules = drafts(resource, policy, proxy, &mut problems);
                let custom = if dry_run { &mut shadow_custom } else { &mut custom };
                let added = custom::add(custom, provider, providers, dry_run, rules);
                problems.extend(
                    added
                        .err()
                        .map(|message| resource.error("spec.provider.name", code::UNSUPPORTED, message)),
                );
                continue;
            }
        };
        let kind = kind.get_or_insert_default();
        if policy.dry_run && policy.action == Action::Allow {
            shadow_allow_policies.push(resource.id().into());
        }
        // A policy without rules matches nothing, and counts nevertheless: an ALLOW policy then refuses.
        kind.extend(drafts(resource, policy, proxy, &mut problems));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let set = |drafts: Drafts| drafts.map(RuleSet::new);
    let mut policies = Policies {
        customs: shadow_custom.map(Custom::new).into_iter().chain(custom.map(Custom::new)).collect(),
        audit: set(audit),
        deny: set(deny),
        allow: set(allow),
        shadow_deny: set(shadow_deny),
        shadow_allow: set(shadow_allow),
        shadow_allow_policies,
        attributes: Attributes::none(),
    };
    let Policies { audit, deny, allow, shadow_deny, shadow_allow, .. } = &policies;
    let sets = [audit, deny, allow, shadow_deny, shadow_allow].into_iter().flatten();
    let asking = policies.customs.iter().fold(Attributes::none(), |all, custom| all | custom.attributes());
    policies.attributes = sets.fold(asking, |all, set| all | set.attributes());
    Ok(policies)
}

/// The rules of a policy.
fn drafts(
    resource: &Resource,
    policy: &AuthorizationPolicy,
    proxy: &Proxy,
    problems: &mut Vec<Problem>,
) -> Vec<(RuleRef, Draft)> {
    let rules = policy.rules.as_deref().unwrap_or_default();
    let mut drafts = Vec::with_capacity(rules.len());
    for (at, rule) in rules.iter().enumerate() {
        refuse_metadata(resource, at, &rule.when, problems);
        let reference = RuleRef::new(resource, &format!("spec.rules[{at}]"), at);
        drafts.push((reference, draft::draft(rule, proxy)));
    }
    drafts
}

/// Names each condition of a rule on Envoy's dynamic metadata, which a filter can't read as Envoy does.
fn refuse_metadata(resource: &Resource, rule: usize, conditions: &[Condition], problems: &mut Vec<Problem>) {
    for (at, condition) in conditions.iter().enumerate() {
        if let Condition::EnvoyMetadata { filter, key, .. } = condition {
            let path = format!("spec.rules[{rule}].when[{at}].key");
            let message = format!("condition `experimental.{filter}[{key}]` is not carried out yet");
            problems.push(resource.error(&path, code::UNSUPPORTED, message));
        }
    }
}
