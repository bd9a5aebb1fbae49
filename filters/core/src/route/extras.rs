//! What all rules of a VirtualService share beyond Istio: its annotations, compiled.

use std::sync::Arc;

use outrigger_api::types::annotations::Annotations;
use outrigger_api::{Resource, Spec};

use crate::Attributes;
use crate::fault::Guards;
use crate::sticky::Keys;

/// The annotations of a VirtualService.
pub(super) struct Extras {
    pub(super) guards: Option<Arc<Guards>>,
    pub(super) sticky: Option<Arc<Keys>>,
}

impl Extras {
    fn new(resource: &Resource, annotations: &Annotations) -> Self {
        let id = resource.id();
        Self {
            guards: Guards::new(&annotations.fault, &id).map(Arc::new),
            sticky: Keys::new(&annotations.sticky_weights, &id, "weights").map(Arc::new),
        }
    }

    /// What they ask of a request beyond its headers.
    pub(super) fn attributes(&self) -> Attributes {
        let guards = self.guards.as_ref().map(|guards| guards.attributes());
        let sticky = self.sticky.as_ref().map(|keys| keys.attributes());
        guards.unwrap_or_default() | sticky.unwrap_or_default()
    }

    /// Whether something depends on the time.
    pub(super) fn expire(&self) -> bool {
        self.guards.as_ref().is_some_and(|guards| guards.expires.is_some())
    }
}

/// Those of a VirtualService and of the delegates that its rules come from, each compiled once.
pub(super) struct AllExtras<'r> {
    root: &'r Resource,
    annotations: &'r Annotations,
    own: Extras,
    delegates: Vec<(&'r Resource, Extras)>,
}

impl<'r> AllExtras<'r> {
    pub(super) fn new(root: &'r Resource, annotations: &'r Annotations) -> Self {
        Self { root, annotations, own: Extras::new(root, annotations), delegates: Vec::new() }
    }

    /// Those that hold for a rule of `resource`. As with the fields of a rule, a delegate's own come first; what it does
    /// not say, it inherits, guard by guard: a fault that has come to its end must not begin anew for another guard's sake.
    pub(super) fn of(&mut self, resource: &'r Resource) -> &Extras {
        if std::ptr::eq(resource, self.root) {
            return &self.own;
        }
        let known = self.delegates.iter().position(|(known, _)| std::ptr::eq(*known, resource));
        let place = known.unwrap_or_else(|| {
            let extras = match &resource.spec {
                Spec::VirtualService(service) => self.inherited(resource, &service.annotations),
                _ => Extras { guards: None, sticky: None },
            };
            self.delegates.push((resource, extras));
            self.delegates.len().saturating_sub(1)
        });
        self.delegates.get(place).map_or(&self.own, |(_, extras)| extras)
    }

    fn inherited(&self, delegate: &Resource, annotations: &Annotations) -> Extras {
        let fault = annotations.fault.or(&self.annotations.fault);
        // Callers draw as they do in the VirtualService that says by what they are known.
        let draws = if annotations.fault.sticky.is_empty() { self.root } else { delegate };
        let sticky = Keys::new(&annotations.sticky_weights, &delegate.id(), "weights").map(Arc::new);
        Extras {
            guards: Guards::new(&fault, &draws.id()).map(Arc::new),
            sticky: sticky.or_else(|| self.own.sticky.clone()),
        }
    }
}
