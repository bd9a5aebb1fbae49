//! Policies with `action: CUSTOM`: which requests a server is asked about.

use std::sync::Arc;

use outrigger_api::problem::code;
use outrigger_api::types::extension_provider::ExtensionProvider;
use outrigger_api::{Problem, Resource};

use super::draft::Draft;
use super::facts::Facts;
use super::rule_set::RuleSet;
use crate::{Attributes, RuleRef};

/// The server of a workload, and the rules about when to ask it.
#[derive(Debug)]
pub(super) struct Custom {
    pub(super) provider: Arc<ExtensionProvider>,
    rules: RuleSet,
    shadow: RuleSet,
}

/// A server is to be asked about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask<'e> {
    /// The server.
    pub provider: &'e ExtensionProvider,
    /// The rule that matched, the first by its policy ID.
    pub rule: &'e RuleRef,
    /// By `outrigger.io/dry-run`: whatever it says, the request goes on.
    pub dry_run: bool,
}

/// Rules of such policies, being collected.
#[derive(Default)]
pub(super) struct Customs {
    provider: Option<Arc<ExtensionProvider>>,
    rules: Vec<(RuleRef, Draft)>,
    shadow: Vec<(RuleRef, Draft)>,
}

impl Customs {
    /// Takes a policy that names the provider `name`.
    pub(super) fn add(
        &mut self,
        (resource, name): (&Resource, &str),
        providers: &[ExtensionProvider],
        dry_run: bool,
        drafts: impl Iterator<Item = (RuleRef, Draft)>,
    ) -> Result<(), Box<Problem>> {
        let refused =
            |message: String| Box::new(resource.error("spec.provider.name", code::UNSUPPORTED, message));
        match &self.provider {
            None => {
                let found = providers.iter().find(|provider| provider.name == name);
                let found =
                    found.ok_or_else(|| refused(format!("there is no extension provider `{name}`")))?;
                self.provider = Some(Arc::new(found.clone()));
            }
            Some(known) if known.name == name => {}
            // Istio refuses every request then that either policy matches.
            Some(known) => {
                let known = &known.name;
                return Err(refused(format!(
                    "a workload can ask one extension provider, not `{known}` and `{name}`"
                )));
            }
        }
        if dry_run {
            self.shadow.extend(drafts)
        } else {
            self.rules.extend(drafts)
        }
        Ok(())
    }

    pub(super) fn build(self) -> Option<Custom> {
        let (rules, shadow) = (RuleSet::new(self.rules), RuleSet::new(self.shadow));
        Some(Custom { provider: self.provider?, rules, shadow })
    }
}

impl Custom {
    pub(super) fn ask(&self, facts: &Facts<'_, '_>) -> Option<Ask<'_>> {
        let by = |rule, dry_run| Ask { provider: &self.provider, rule, dry_run };
        let enforced = self.rules.first(facts).map(|rule| by(rule, false));
        enforced.or_else(|| self.shadow.first(facts).map(|rule| by(rule, true)))
    }

    pub(super) fn attributes(&self) -> Attributes {
        // The server may want any header.
        self.rules.attributes() | self.shadow.attributes() | Attributes::HEADERS
    }
}
