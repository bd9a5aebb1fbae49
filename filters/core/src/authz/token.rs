//! Sets of token identities: `requestPrincipals`.

use outrigger_api::ordered;
use outrigger_api::types::authorization_policy::{RequestPrincipal, ValuePattern};

use super::facts::Facts;
use crate::matching::ByteMap;
use crate::matching::value_set::{Star, ValueSet};

/// Pairs of issuer and subject. Both claims must be there, as strings.
#[derive(Debug)]
pub(super) struct RequestPrincipalSet {
    /// Subjects of issuers given in full.
    exact: ByteMap<ValueSet>,
    /// Subjects of the other issuers, by their pattern.
    others: Vec<(ValueSet, ValueSet)>,
}

impl RequestPrincipalSet {
    pub(super) fn new(principals: &[RequestPrincipal]) -> Self {
        let mut by_issuer: Vec<(&ValuePattern, &ValuePattern)> =
            principals.iter().map(|principal| (&principal.issuer, &principal.subject)).collect();
        ordered::sort_by(&mut by_issuer, |(one, _), (other, _)| key(one).cmp(&key(other)));
        let (mut exact, mut others) = (ByteMap::default(), Vec::new());
        for group in by_issuer.chunk_by(|(one, _), (other, _)| one == other) {
            let Some((issuer, _)) = group.first() else { continue };
            let subjects = ValueSet::new(group.iter().map(|(_, subject)| *subject), Star::NotEmpty);
            match issuer {
                ValuePattern::Exact(text) => exact.insert(text.as_bytes().into(), subjects),
                pattern => others.push((ValueSet::new([*pattern], Star::NotEmpty), subjects)),
            }
        }
        Self { exact, others }
    }

    pub(super) fn holds(&self, facts: &Facts<'_, '_>) -> bool {
        let Some((issuer, subject)) = facts.text_claim("iss").zip(facts.text_claim("sub")) else {
            return false;
        };
        self.exact.get(issuer).is_some_and(|subjects| subjects.contains(subject))
            || self
                .others
                .iter()
                .any(|(issuers, subjects)| issuers.contains(issuer) && subjects.contains(subject))
    }
}

/// Brings equal patterns together.
fn key(pattern: &ValuePattern) -> (u8, &str) {
    match pattern {
        ValuePattern::Any => (0, ""),
        ValuePattern::Exact(text) => (1, text),
        ValuePattern::Prefix(text) => (2, text),
        ValuePattern::Suffix(text) => (3, text),
    }
}
