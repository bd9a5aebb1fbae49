//! All rules of one action.

use super::decision::policy_id;
use super::draft::Draft;
use super::facts::Facts;
use super::index::Index;
use super::key::{self, Clause};
use super::rule::Rule;
use crate::{Attributes, RuleRef};
use outrigger_api::ordered;

/// So many rules are tried one after the other: it takes longer to look for those that could match.
const FEW: usize = 4;

/// Rules of which any may match.
#[derive(Debug)]
pub(super) struct RuleSet {
    /// In the order of their policy IDs: Envoy tries them so, and names the first that matches.
    rules: Vec<Rule>,
    /// `None` for a few.
    index: Option<Index>,
}

impl RuleSet {
    pub(super) fn new(drafts: Vec<(RuleRef, Draft)>) -> Self {
        let mut drafts: Vec<_> = drafts.into_iter().map(|draft| (policy_id(&draft.0), draft)).collect();
        ordered::sort_by(&mut drafts, |(one, _), (other, _)| one.cmp(other));
        let (rules, clauses): (Vec<Rule>, Vec<Vec<Clause>>) = drafts
            .into_iter()
            .map(|(_, (reference, Draft { from, to, when, clauses }))| {
                (Rule { from, to, when, reference }, clauses)
            })
            .unzip();
        let index = (rules.len() > FEW).then(|| Index::new(&key::choose(&clauses)));
        Self { rules, index }
    }

    /// The first rule that matches.
    pub(super) fn first(&self, facts: &Facts<'_, '_>) -> Option<&RuleRef> {
        match &self.index {
            None => self.rules.iter().find(|rule| rule.matches(facts)).map(|rule| &rule.reference),
            Some(index) => self.first_of(index, facts),
        }
    }

    /// Not part of what a request goes through where there are few.
    #[inline(never)]
    fn first_of(&self, index: &Index, facts: &Facts<'_, '_>) -> Option<&RuleRef> {
        let rule = |number: u32| usize::try_from(number).ok().and_then(|number| self.rules.get(number));
        let found = index.first(facts, |number| rule(number).is_some_and(|rule| rule.matches(facts)));
        found.and_then(rule).map(|rule| &rule.reference)
    }

    /// What the rules ask of a request.
    pub(super) fn attributes(&self) -> Attributes {
        self.rules.iter().fold(Attributes::none(), |all, rule| all | rule.attributes())
    }
}
