//! Rules that a VirtualService leaves to another one, put together as Istio does it.
//!
//! A rule with `delegate` stands for all rules of the VirtualService named there, each narrowed by the matches of the
//! rule that delegates. One level only: a delegate has no `hosts`, and can't delegate any further.

mod matches;
mod routes;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

pub use matches::Conflict;

use crate::{
    ordered,
    resource::{Resource, Spec},
    select::is_visible,
    types::virtual_service::{Delegate, HttpRoute, RouteAction, VirtualService},
};

/// A rule as it counts.
#[derive(Debug, Clone)]
pub struct EffectiveRoute<'r> {
    /// The VirtualService that says what is done: the delegate, if there is one.
    pub resource: &'r Resource,
    /// The rule's place in its `spec.http`.
    pub index: usize,
    /// The rule. Put together from two, hosts that come from the delegating rule are fully qualified.
    pub route: Cow<'r, HttpRoute>,
    /// Of each of the rule's matches its place in the `match` of `resource`'s rule; `None` if that has none.
    pub match_indexes: Vec<Option<usize>>,
    /// The rule that delegates, if one does.
    pub root: Option<RootRule<'r>>,
}

/// A rule that delegates.
#[derive(Debug, Clone, Copy)]
pub struct RootRule<'r> {
    /// Its VirtualService.
    pub resource: &'r Resource,
    /// Its place in `spec.http`.
    pub index: usize,
}

/// A rule that has no effect because of how it delegates, or is delegated to.
#[derive(Debug, Clone)]
pub struct Dropped<'r> {
    /// The rule that delegates.
    pub root: RootRule<'r>,
    /// What it names.
    pub delegate: &'r Delegate,
    /// Why.
    pub reason: DropReason<'r>,
}

/// Why a rule is [`Dropped`].
#[derive(Debug, Clone)]
pub enum DropReason<'r> {
    /// No VirtualService has this name.
    Missing,
    /// The VirtualService of this name has hosts of its own, which a delegate has not.
    HasHosts(&'r Resource),
    /// The delegate's `exportTo` leaves out the namespace of the one that delegates.
    NotVisible(&'r Resource),
    /// Of the delegate only this rule is dropped: a match of its goes together with no match of the root's rule.
    Conflict {
        /// The delegate.
        resource: &'r Resource,
        /// The place of its rule in `spec.http`.
        index: usize,
        /// The match, and what is in the way.
        conflict: Conflict,
    },
}

/// Every VirtualService by name.
#[derive(Debug)]
pub struct Delegates<'r> {
    /// Sorted by namespace and name.
    by_name: Vec<(&'r Resource, &'r VirtualService)>,
}

impl<'r> Delegates<'r> {
    /// Collects the VirtualServices among `resources`.
    pub fn new(resources: &'r [Resource]) -> Self {
        let all = resources.iter().filter_map(|resource| match &resource.spec {
            Spec::VirtualService(service) => Some((resource, service)),
            _ => None,
        });
        let mut by_name: Vec<_> = all.collect();
        ordered::sort_by(&mut by_name, |(one, _), (other, _)| key(one).cmp(&key(other)));
        Self { by_name }
    }

    /// The rules of `service` in order as they count, and those which don't. `cluster_domain` completes short names.
    pub fn routes(
        &self,
        resource: &'r Resource,
        service: &'r VirtualService,
        cluster_domain: &str,
    ) -> (Vec<EffectiveRoute<'r>>, Vec<Dropped<'r>>) {
        let (mut routes, mut dropped) = (Vec::new(), Vec::new());
        for (index, route) in service.http.iter().enumerate() {
            let RouteAction::Delegate(delegate) = &route.action else {
                let match_indexes = (0..route.matches.len()).map(Some).collect();
                routes.push(EffectiveRoute {
                    resource,
                    index,
                    route: Cow::Borrowed(route),
                    match_indexes,
                    root: None,
                });
                continue;
            };
            let root = RootRule { resource, index };
            let mut drop = |reason| dropped.push(Dropped { root, delegate, reason });
            let (leaf, leaf_service) = match self.find(delegate) {
                None => {
                    drop(DropReason::Missing);
                    continue;
                }
                Some((found, service)) if !service.is_delegate() => {
                    drop(DropReason::HasHosts(found));
                    continue;
                }
                Some((found, service))
                    if !is_visible(&service.export_to, &found.meta.namespace, &resource.meta.namespace) =>
                {
                    drop(DropReason::NotVisible(found));
                    continue;
                }
                Some(found) => found,
            };
            for (index, leaf_route) in leaf_service.http.iter().enumerate() {
                match matches::merge(&route.matches, &leaf_route.matches) {
                    Ok(matches) => {
                        let (matches, match_indexes) = matches.into_iter().unzip();
                        let merged = routes::merge(root, route, leaf_route, matches, cluster_domain);
                        let route = Cow::Owned(merged);
                        routes.push(EffectiveRoute {
                            resource: leaf,
                            index,
                            route,
                            match_indexes,
                            root: Some(root),
                        });
                    }
                    Err(conflict) => drop(DropReason::Conflict { resource: leaf, index, conflict }),
                }
            }
        }
        (routes, dropped)
    }

    fn find(&self, delegate: &Delegate) -> Option<(&'r Resource, &'r VirtualService)> {
        let wanted = (delegate.namespace.as_str(), delegate.name.as_str());
        let at = self.by_name.partition_point(|(resource, _)| key(resource) < wanted);
        self.by_name.get(at).copied().filter(|(resource, _)| key(resource) == wanted)
    }
}

fn key(resource: &Resource) -> (&str, &str) {
    (&resource.meta.namespace, &resource.meta.name)
}
