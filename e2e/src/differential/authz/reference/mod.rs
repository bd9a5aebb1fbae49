//! The same configurations as Envoy's own filters, written the way istiod writes them (`pilot/pkg/security/authz`).
//!
//! This shares nothing with the product: it reads the resources as they are written, and refuses every field that it does
//! not translate.

mod logic;
mod operation;
mod rule;
mod source;
#[cfg(test)]
mod tests;
mod text;
mod token;
mod trust_domains;

use anyhow::{Result, bail};
use serde_json::{Map, Value, json};

use self::rule::Setting;
use self::trust_domains::TrustDomains;
use super::configuration::Configuration;
use super::fields::{self, items, only, pairs, text};
use super::jwt;
use super::proxy::{LABELS, NAMESPACE, Proxy, ROOT_NAMESPACE};

/// Envoy's filters for `configuration`, in order.
///
/// # Errors
/// A field that is not translated.
pub(super) fn filters(configuration: &Configuration) -> Result<Vec<Value>> {
    let proxy = Proxy::of(configuration);
    let domains = std::iter::once(&proxy.trust_domain).chain(&proxy.trust_domain_aliases);
    let trust_domains = TrustDomains(domains.cloned().collect());
    let mut filters: Vec<Value> = jwt::reference::filter(configuration)?.into_iter().collect();
    for action in [Action::Audit, Action::Deny, Action::Allow] {
        let mut rules = Rules::default();
        for policy in configuration.kind("AuthorizationPolicy") {
            rules.add(policy, action, &trust_domains)?;
        }
        filters.extend(rules.filter(action));
    }
    Ok(filters)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Allow,
    Deny,
    Audit,
}

impl Action {
    fn of(policy: &Value) -> Result<Self> {
        Ok(match text(&policy["spec"], "action") {
            "" | "ALLOW" => Self::Allow,
            "DENY" => Self::Deny,
            "AUDIT" => Self::Audit,
            other => bail!("action `{other}` is not translated"),
        })
    }

    /// Envoy's name for it.
    fn name(self) -> &'static str {
        match self {
            Self::Allow => "ALLOW",
            Self::Deny => "DENY",
            Self::Audit => "LOG",
        }
    }

    /// What stands in front of the names under which the filter tells what its shadow rules say.
    fn shadow_prefix(self) -> &'static str {
        match self {
            Self::Allow => "istio_dry_run_allow_",
            Self::Deny => "istio_dry_run_deny_",
            Self::Audit => "",
        }
    }
}

/// The rules of one action; `None` as long as there is no policy.
#[derive(Default)]
struct Rules {
    enforced: Option<Map<String, Value>>,
    dry: Option<Map<String, Value>>,
}

impl Rules {
    fn add(&mut self, policy: &Value, action: Action, trust_domains: &TrustDomains) -> Result<()> {
        only(&policy["spec"], &["selector", "action", "rules"])?;
        if !applies(policy)? || Action::of(policy)? != action {
            return Ok(());
        }
        let meta = &policy["metadata"];
        let (namespace, name) = (text(meta, "namespace"), text(meta, "name"));
        let policies = if is_dry(policy)? { &mut self.dry } else { &mut self.enforced };
        let policies = policies.get_or_insert_default();
        let id = |rule: usize| format!("ns[{namespace}]-policy[{name}]-rule[{rule}]");
        let rules = items(&policy["spec"], "rules");
        for (index, rule) in rules.iter().enumerate() {
            policies.insert(id(index), rule::policy(rule, &Setting { namespace, trust_domains })?);
        }
        if rules.is_empty() {
            let never = json!({"any": true});
            policies.insert(
                id(0),
                json!({"permissions": [{"not_rule": never}], "principals": [{"not_id": never}]}),
            );
        }
        Ok(())
    }

    fn filter(self, action: Action) -> Option<Value> {
        if self.enforced.is_none() && self.dry.is_none() {
            return None;
        }
        let rules = |policies: Map<String, Value>| json!({"action": action.name(), "policies": policies});
        let mut config = json!({"@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC"});
        if let Some(policies) = self.enforced {
            config["rules"] = rules(policies);
        }
        if let Some(policies) = self.dry {
            config["shadow_rules"] = rules(policies);
            config["shadow_rules_stat_prefix"] = action.shadow_prefix().into();
        }
        Some(json!({"name": "envoy.filters.http.rbac", "typed_config": config}))
    }
}

/// Whether `policy` is for this proxy.
fn applies(policy: &Value) -> Result<bool> {
    let meta = &policy["metadata"];
    only(meta, &["name", "namespace", "creationTimestamp", "annotations"])?;
    if ![NAMESPACE, ROOT_NAMESPACE].contains(&text(meta, "namespace")) {
        return Ok(false);
    }
    let Some(selector) = policy["spec"].get("selector") else { return Ok(true) };
    only(selector, &["matchLabels"])?;
    let mut wanted = pairs(selector, "matchLabels").into_iter();
    Ok(wanted.all(|(name, value)| LABELS.iter().any(|(known, has)| name == known && value == has)))
}

/// Whether `policy` is only tried out. The texts are those that Go takes for true.
fn is_dry(policy: &Value) -> Result<bool> {
    let Some(annotations) = policy["metadata"].get("annotations") else { return Ok(false) };
    only(annotations, &["istio.io/dry-run"])?;
    Ok(["1", "t", "T", "true", "TRUE", "True"].contains(&text(annotations, "istio.io/dry-run")))
}
