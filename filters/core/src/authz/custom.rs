//! Policies with `action: CUSTOM`: which requests a server is asked about.

use std::sync::Arc;

use outrigger_api::types::extension_provider::ExtensionProvider;

use super::draft;
use super::facts::Facts;
use super::rule_set::RuleSet;
use crate::{Attributes, Request, RuleRef};

/// The server of a workload, or the one that is tried out there, and the rules about when to ask it.
#[derive(Debug)]
pub struct Custom {
    /// The server.
    pub provider: Arc<ExtensionProvider>,
    rules: RuleSet,
    dry_run: bool,
}

/// A server is to be asked about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask<'e> {
    /// The server.
    pub provider: &'e Arc<ExtensionProvider>,
    /// The rule that matched, the first by its policy ID.
    pub rule: &'e RuleRef,
    /// By `outrigger.io/dry-run`: whatever it says, the request goes on.
    pub dry_run: bool,
}

/// What becomes a [`Custom`], being collected.
pub(super) struct Draft {
    provider: Arc<ExtensionProvider>,
    rules: Vec<(RuleRef, draft::Draft)>,
    dry_run: bool,
}

/// Takes a policy that names the provider `name` among the others.
pub(super) fn add(
    custom: &mut Option<Draft>,
    name: &str,
    providers: &[ExtensionProvider],
    dry_run: bool,
    rules: Vec<(RuleRef, draft::Draft)>,
) -> Result<(), String> {
    match custom {
        None => {
            let found = providers.iter().find(|provider| provider.name == name);
            let found = found.ok_or_else(|| format!("there is no extension provider `{name}`"))?;
            *custom = Some(Draft { provider: Arc::new(found.clone()), rules, dry_run });
        }
        Some(known) if known.provider.name == name => known.rules.extend(rules),
        // Istio refuses every request then that either policy matches.
        Some(known) => {
            let known = &known.provider.name;
            return Err(format!("a workload can ask one extension provider, not `{known}` and `{name}`"));
        }
    }
    Ok(())
}

impl Custom {
    pub(super) fn new(Draft { provider, rules, dry_run }: Draft) -> Self {
        Self { provider, rules: RuleSet::new(rules), dry_run }
    }

    /// Whether the server has to be asked about a request, before all else. What is not known holds: then it is asked.
    pub fn ask(&self, request: &Request<'_>) -> Option<Ask<'_>> {
        let rule = self.rules.first(&Facts { request, unknown_holds: true })?;
        Some(Ask { provider: &self.provider, rule, dry_run: self.dry_run })
    }

    pub(super) fn attributes(&self) -> Attributes {
        // The server may want any header.
        self.rules.attributes() | Attributes::HEADERS
    }
}
