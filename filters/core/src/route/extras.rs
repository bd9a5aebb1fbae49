//! What all rules of a VirtualService share beyond Istio: its annotations, compiled.

use std::sync::Arc;

use outrigger_api::types::annotations::{Annotations, Inherited, StickyKey};
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
    /// Those of a VirtualService, and of one that delegates to it, or the same again. As with the fields of a rule, a
    /// delegate's own come first; what it does not say, it inherits, guard by guard: a fault that has come to its end must
    /// not begin anew for another guard's sake.
    #[inline(never)]
    fn new((resource, own): Source<'_>, (root, inherited): Source<'_>) -> Self {
        // Callers draw as they do in the VirtualService that says by what they are known.
        let source = |keys: &[StickyKey]| if keys.is_empty() { root } else { resource }.id();
        let guards = Inherited::new(&own.fault, &inherited.fault);
        let weights =
            if own.sticky_weights.is_empty() { &inherited.sticky_weights } else { &own.sticky_weights };
        Self {
            guards: Guards::new(guards, &source(&own.fault.sticky)).map(Arc::new),
            sticky: Keys::new(weights, &source(&own.sticky_weights), "weights").map(Arc::new),
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

/// A VirtualService with its annotations.
type Source<'s> = (&'s Resource, &'s Annotations);

/// Those of a VirtualService and of the delegates that its rules come from, each compiled once.
pub(super) struct AllExtras<'r> {
    root: Source<'r>,
    known: Vec<(&'r Resource, Extras)>,
    none: Extras,
}

impl<'r> AllExtras<'r> {
    pub(super) fn new(root: &'r Resource, annotations: &'r Annotations) -> Self {
        let none = Extras { guards: None, sticky: None };
        Self { root: (root, annotations), known: Vec::new(), none }
    }

    /// Those that hold for a rule of `resource`.
    pub(super) fn of(&mut self, resource: &'r Resource) -> &Extras {
        let known = self.known.iter().position(|(known, _)| std::ptr::eq(*known, resource));
        let place = known.unwrap_or_else(|| {
            if let Spec::VirtualService(service) = &resource.spec {
                self.known.push((resource, Extras::new((resource, &service.annotations), self.root)));
            }
            self.known.len().saturating_sub(1)
        });
        self.known.get(place).map_or(&self.none, |(_, extras)| extras)
    }
}
