//! Conditions of a rule being collected for one side of Envoy's policy.

use outrigger_api::types::authorization_policy::Values;

use super::Layer;
use crate::envoy::rbac::Clause;

/// Conditions that must all hold.
pub(super) struct Parts<C> {
    layer: Layer,
    all: Vec<C>,
    /// Something about HTTP had to be left out.
    http_only: bool,
}

impl<C: Clause> Parts<C> {
    pub(super) fn new(layer: Layer) -> Self {
        Self { layer, all: Vec::new(), http_only: false }
    }

    /// A field: one of its values, and none of the `not…` ones.
    pub(super) fn add<T>(&mut self, lists: &Values<T>, clause: impl Fn(&T) -> C) {
        self.add_many(lists, |value| vec![clause(value)]);
    }

    /// The same where a value stands for several.
    pub(super) fn add_many<T>(&mut self, lists: &Values<T>, clauses: impl Fn(&T) -> Vec<C>) {
        let one =
            |values: &[T]| (!values.is_empty()).then(|| C::one(values.iter().flat_map(&clauses).collect()));
        self.all.extend(one(&lists.values));
        self.all.extend(one(&lists.not_values).map(C::negated));
    }

    /// A field that only requests have.
    pub(super) fn add_http<T>(&mut self, lists: &Values<T>, clause: impl Fn(&T) -> C) {
        match self.layer {
            Layer::Http => self.add(lists, clause),
            Layer::Tcp => self.leave_out(lists),
        }
    }

    /// A field that is known nowhere that such rules are carried out.
    pub(super) fn leave_out<T>(&mut self, lists: &Values<T>) {
        self.http_only |= !lists.is_empty();
    }

    /// The whole, and whether something had to be left out.
    pub(super) fn finish(self) -> (C, bool) {
        let all = if self.all.is_empty() { vec![C::any()] } else { self.all };
        (C::all(all), self.http_only)
    }
}

/// The alternatives of a rule's `from` or `to`; one that asks for nothing if it has none.
pub(super) fn alternatives<C, T: Default>(entries: &[T], build: impl Fn(&T) -> (C, bool)) -> (Vec<C>, bool) {
    let built: Vec<_> = match entries {
        [] => vec![build(&T::default())],
        entries => entries.iter().map(build).collect(),
    };
    let http_only = built.iter().any(|(_, http_only)| *http_only);
    (built.into_iter().map(|(clause, _)| clause).collect(), http_only)
}
