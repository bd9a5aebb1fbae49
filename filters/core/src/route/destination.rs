//! Where requests are sent.

use std::sync::Arc;

use super::mutation::Changes;
use crate::{Attributes, Draws};

/// A place to send requests to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Destination {
    /// Fully qualified host, in lower case.
    pub host: String,
    /// Subset of the DestinationRule.
    pub subset: Option<String>,
    /// Service port.
    pub port: u16,
}

impl Destination {
    /// Istio's name of the Envoy cluster: `outbound|PORT|SUBSET|HOST`.
    pub fn cluster_name(&self) -> String {
        format!("outbound|{}|{}|{}", self.port, self.subset.as_deref().unwrap_or_default(), self.host)
    }
}

/// A destination of a rule, compiled.
#[derive(Debug)]
pub struct Target {
    /// Where to.
    pub destination: Destination,
    /// Its share of [`Targets::total`]. Above zero, except for an only one.
    pub weight: u32,
    pub(super) cluster: Arc<str>,
    /// The new `:authority`.
    pub(super) authority: Option<Box<str>>,
    /// One of several of its rule: Envoy's weighted cluster, which does not tell the upstream of the authority it replaces.
    pub(super) weighted: bool,
    pub(super) request_changes: Changes,
    pub(super) response_changes: Changes,
}

impl Target {
    /// A destination without changes.
    pub fn plain(destination: Destination) -> Self {
        Self {
            cluster: destination.cluster_name().into(),
            destination,
            weight: 0,
            authority: None,
            weighted: false,
            request_changes: Changes::default(),
            response_changes: Changes::default(),
        }
    }

    /// What its header changes ask of a request.
    pub(super) fn attributes(&self) -> Attributes {
        self.request_changes.attributes() | self.response_changes.attributes()
    }
}

/// The destinations of a rule; at least one.
#[derive(Debug)]
pub struct Targets {
    first: Target,
    rest: Vec<Target>,
    total: u32,
}

impl Targets {
    /// Destinations with weights. `None` if there is none, or if the weights add up to more than Envoy can count.
    pub fn new(targets: Vec<Target>) -> Option<Self> {
        let total = targets.iter().try_fold(0u32, |sum, target| sum.checked_add(target.weight))?;
        let mut targets = targets.into_iter();
        Some(Self { first: targets.next()?, rest: targets.collect(), total })
    }

    /// Draws one. An only one needs no draw; none is remembered from request to request.
    pub fn draw(&self, draws: &mut Draws) -> &Target {
        if self.rest.is_empty() {
            return &self.first;
        }
        let mut point = draws.below(self.total);
        for target in self.iter() {
            match point.checked_sub(target.weight) {
                Some(rest) => point = rest,
                None => return target,
            }
        }
        &self.first
    }

    /// The one at `place`, in the order written.
    pub fn get(&self, place: usize) -> Option<&Target> {
        place.checked_sub(1).map_or(Some(&self.first), |place| self.rest.get(place))
    }

    /// All of them, in the order written.
    pub fn iter(&self) -> impl Iterator<Item = &Target> {
        std::iter::once(&self.first).chain(&self.rest)
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn targets(weights: &[u32]) -> Option<Targets> {
        let target = |weight: &u32| Target {
            weight: *weight,
            ..Target::plain(Destination { host: weight.to_string(), subset: None, port: 80 })
        };
        Targets::new(weights.iter().map(target).collect())
    }

    fn drawn(weights: &[u32], point: u32) -> u32 {
        targets(weights).unwrap().draw(&mut Draws::Fixed(point)).weight
    }

    #[test]
    fn weights_divide_the_range_exactly() {
        for (weights, point, weight) in [
            (&[75, 25][..], 0, 75),
            (&[75, 25], 749_999, 75),
            (&[75, 25], 750_000, 25),
            (&[75, 25], 999_999, 25),
            (&[1, 2], 333_333, 1),
            (&[1, 2], 333_334, 2),
            (&[50, 30, 20], 799_999, 30),
            (&[50, 30, 20], 800_000, 20),
            (&[0], 999_999, 0),
            (&[u32::MAX - 1, 1], 0, u32::MAX - 1),
        ] {
            assert_eq!(drawn(weights, point), weight, "{weights:?} at {point}");
        }
    }

    #[test]
    fn weights_that_envoy_cannot_count_are_refused() {
        assert!(targets(&[u32::MAX, 1]).is_none());
        assert!(targets(&[]).is_none());
    }

    #[test]
    fn clusters_are_named_as_istio_names_them() {
        let destination = |subset: Option<&str>| Destination {
            host: "httpbin.default.svc.cluster.local".into(),
            subset: subset.map(Into::into),
            port: 8000,
        };
        assert_eq!(destination(None).cluster_name(), "outbound|8000||httpbin.default.svc.cluster.local");
        assert_eq!(
            destination(Some("v1")).cluster_name(),
            "outbound|8000|v1|httpbin.default.svc.cluster.local"
        );
    }
}
