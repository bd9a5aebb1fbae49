//! Sets of peers, by what their SPIFFE ID says: `spiffe://<trust domain>/ns/<namespace>/sa/<service account>`.
//!
//! Istio writes these fields as regexes over the whole ID, and other parts may stand between those named. The sets
//! here give the same answers without a regex.

use outrigger_api::types::authorization_policy::{Glob, ServiceAccount, ValuePattern};

use super::facts::{Facts, segment, tails};
use crate::matching::prefixes::Prefixes;
use crate::matching::value_set::{Star, ValueSet};
use crate::matching::{ByteMap, ByteSet};

/// `source.principals`: IDs without their scheme.
#[derive(Debug)]
pub(super) struct PrincipalSet {
    /// `*`: any peer with an ID, also one that is not SPIFFE.
    any: bool,
    after_scheme: ValueSet,
}

impl PrincipalSet {
    pub(super) fn new(patterns: &[ValuePattern]) -> Self {
        let given = patterns.iter().filter(|pattern| **pattern != ValuePattern::Any);
        Self {
            any: patterns.contains(&ValuePattern::Any),
            after_scheme: ValueSet::new(given, Star::NotEmpty),
        }
    }

    pub(super) fn holds(&self, facts: &Facts<'_, '_>) -> bool {
        (self.any && facts.peer().is_some_and(|peer| !peer.is_empty()))
            || facts.spiffe_rest().is_some_and(|rest| self.after_scheme.contains(rest))
    }
}

/// `source.namespaces`: Istio's `.*/ns/<name, * as .*>/.*`, in which a star covers slashes too.
#[derive(Debug)]
pub(super) struct NamespaceSet {
    exact: ByteSet,
    /// `x*`, with the length of `x`.
    prefixes: Prefixes<usize>,
    /// Stars elsewhere: the pieces between them, to be found one after the other. The last ends with a slash.
    globs: Vec<Box<[Box<[u8]>]>>,
}

impl NamespaceSet {
    pub(super) fn new(names: &[Glob]) -> Self {
        let (mut exact, mut prefixes, mut globs) = (ByteSet::default(), ByteMap::default(), Vec::new());
        for Glob(name) in names {
            match name.split_once('*') {
                None if !name.contains('/') => exact.insert(name.as_bytes().into(), ()),
                Some((prefix, "")) => prefixes.insert(prefix.as_bytes().into(), prefix.len()),
                _ => {
                    let pieces = format!("{name}/");
                    globs.push(pieces.split('*').map(|piece| piece.as_bytes().into()).collect());
                }
            }
        }
        Self { exact, prefixes: Prefixes::new(prefixes.into_sorted()), globs }
    }

    pub(super) fn holds(&self, facts: &Facts<'_, '_>) -> bool {
        facts.peer().is_some_and(|peer| tails(peer, b"/ns/").any(|tail| self.begins(tail)))
    }

    /// Whether what follows `/ns/` begins with one of the names and a slash.
    fn begins(&self, tail: &[u8]) -> bool {
        let Some((name, _)) = segment(tail) else { return false };
        let slash_after = |length: &usize| tail.get(*length..).is_some_and(|rest| rest.contains(&b'/'));
        self.exact.contains(name)
            || self.prefixes.of(tail).any(slash_after)
            || self.globs.iter().any(|pieces| begins_with_pieces(tail, pieces))
    }
}

/// Whether `text` begins with the first piece and has the others after it, in order and apart.
fn begins_with_pieces(text: &[u8], pieces: &[Box<[u8]>]) -> bool {
    let Some((first, others)) = pieces.split_first() else { return true };
    let found = others.iter().try_fold(text.strip_prefix(&**first), |rest, piece| {
        let rest = rest?;
        let at =
            if piece.is_empty() { 0 } else { rest.windows(piece.len()).position(|part| *part == **piece)? };
        Some(rest.get(at.saturating_add(piece.len())..))
    });
    found.flatten().is_some()
}

/// `source.serviceAccounts`: Istio's `spiffe://.+/ns/<namespace>/(.+/|)sa/<account>(/.+)?`.
#[derive(Debug)]
pub(super) struct AccountSet(ByteMap<ByteSet>);

impl AccountSet {
    pub(super) fn new(accounts: &[ServiceAccount]) -> Self {
        let mut by_namespace = ByteMap::<ByteSet>::default();
        for account in accounts {
            by_namespace.change(account.namespace.as_bytes().into(), ByteSet::default, |names| {
                names.insert(account.name.as_bytes().into(), ());
            });
        }
        Self(by_namespace)
    }

    pub(super) fn holds(&self, facts: &Facts<'_, '_>) -> bool {
        // A trust domain, or at least one character of it, comes first.
        let path = facts.spiffe_rest().and_then(|rest| rest.get(1..));
        path.is_some_and(|path| {
            tails(path, b"/ns/").filter_map(segment).any(|(namespace, rest)| {
                self.0.get(namespace).is_some_and(|accounts| has_account(rest, accounts))
            })
        })
    }
}

fn has_account(rest: &[u8], accounts: &ByteSet) -> bool {
    let named = |tail: &[u8]| match segment(tail) {
        Some((name, more)) => !more.is_empty() && accounts.contains(name),
        None => accounts.contains(tail),
    };
    // Either at once, or after a part that is not empty.
    rest.strip_prefix(b"sa/").is_some_and(named)
        || rest.get(1..).is_some_and(|later| tails(later, b"/sa/").any(named))
}
