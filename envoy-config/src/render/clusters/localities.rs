//! Endpoints by locality and priority, as a proxy at a given place uses them.

use std::collections::{BTreeMap, BTreeSet};

use outrigger_api::types::common::Labels;
use outrigger_api::types::destination_rule::{LocalityLb, LocalityMode};

use super::discovery::Workload;
use crate::envoy::cluster::{LbEndpoint, Locality, LocalityEndpoints};
use crate::locality::{self, NETWORK, with_place};

/// How many distances there are.
const DISTANCES: usize = 5;

/// Who asks, and what is said about localities.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choice<'r> {
    /// Where the proxy is.
    pub(super) own: &'r Locality,
    /// The labels of the proxy.
    pub(super) labels: &'r Labels,
    /// What is said. `None`: nothing.
    pub(super) setting: Option<&'r LocalityLb>,
    /// Endpoints that fail are left out, so that those further away can take over.
    pub(super) fails_over: bool,
}

impl Choice<'_> {
    fn mode(&self) -> Option<&LocalityMode> {
        match self.setting {
            Some(LocalityLb { enabled: Some(false), .. }) => None,
            Some(setting) => Some(&setting.mode),
            None => Some(&LocalityMode::Default),
        }
    }

    /// Whether localities are chosen by their weight first.
    pub(super) fn weighted(&self) -> bool {
        match self.mode() {
            Some(LocalityMode::Distribute(_)) => true,
            Some(LocalityMode::Failover(_) | LocalityMode::FailoverPriority { .. }) => self.fails_over,
            Some(LocalityMode::Default) | None => false,
        }
    }

    /// The groups of `endpoints`, each of which is written by `write`.
    pub(super) fn groups(
        &self,
        endpoints: &[Workload],
        write: impl Fn(&Workload) -> LbEndpoint,
    ) -> Vec<LocalityEndpoints> {
        let mut groups: BTreeMap<(usize, &Locality), Vec<&Workload>> = BTreeMap::new();
        for endpoint in endpoints {
            groups.entry((self.priority(endpoint), &endpoint.locality)).or_default().push(endpoint);
        }
        let levels: BTreeSet<usize> = groups.keys().map(|(level, _)| *level).collect();
        let shares = self.shares(&groups);
        let groups = groups.into_iter().filter_map(|((level, locality), endpoints)| {
            let weight = match &shares {
                // What `distribute` does not name gets nothing.
                Some(shares) => Some(*shares.get(locality)?),
                None => self.weighted().then(|| sum(&endpoints)),
            };
            // Priorities have no gaps.
            let priority = levels.iter().take_while(|other| **other < level).count();
            Some(LocalityEndpoints {
                locality: locality.clone(),
                lb_endpoints: endpoints.into_iter().map(&write).collect(),
                load_balancing_weight: weight,
                priority: u32::try_from(priority).unwrap_or(u32::MAX),
            })
        });
        groups.collect()
    }

    /// How far away an endpoint is; 0 is the nearest.
    fn priority(&self, endpoint: &Workload) -> usize {
        if !self.fails_over {
            return 0;
        }
        match self.mode() {
            None | Some(LocalityMode::Distribute(_)) => 0,
            Some(LocalityMode::Default) => self.distance(&endpoint.locality, &[]),
            Some(LocalityMode::Failover(regions)) => self.distance(&endpoint.locality, regions),
            Some(LocalityMode::FailoverPriority { labels, regions }) => {
                let by_place =
                    if regions.is_empty() { 0 } else { self.distance(&endpoint.locality, regions) };
                self.by_labels(endpoint, labels) * DISTANCES + by_place
            }
        }
    }

    fn distance(&self, other: &Locality, failover: &[(String, String)]) -> usize {
        if self.own.region == other.region {
            return match (self.own.zone == other.zone, self.own.sub_zone == other.sub_zone) {
                (true, true) => 0,
                (true, false) => 1,
                (false, _) => 2,
            };
        }
        let to = failover.iter().find(|(from, _)| *from == self.own.region).map(|(_, to)| to);
        if to.is_none_or(|to| *to == other.region) { 3 } else { 4 }
    }

    /// The fewer of the first labels are the same, the further. A network in the first place is a level above all.
    fn by_labels(&self, endpoint: &Workload, wanted: &[String]) -> usize {
        let own = with_place(self.labels, self.own, None);
        let other = with_place(&endpoint.labels, &endpoint.locality, endpoint.network.as_deref());
        let mut above = 0;
        for (index, label) in wanted.iter().enumerate() {
            let (name, value) = match label.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (label.as_str(), own.get(label.as_str()).map(String::as_str)),
            };
            if value == other.get(name).map(String::as_str) {
                continue;
            }
            if index == 0 && name == NETWORK {
                above = wanted.len();
                continue;
            }
            return above + wanted.len() - index;
        }
        above
    }

    /// The weights of localities by the first `distribute` that is about this proxy's.
    fn shares<'g>(
        &self,
        groups: &BTreeMap<(usize, &'g Locality), Vec<&Workload>>,
    ) -> Option<BTreeMap<&'g Locality, u32>> {
        let Some(LocalityMode::Distribute(entries)) = self.mode() else { return None };
        let (_, to) = entries.iter().find(|(from, _)| covers(from, self.own))?;
        let mut shares = BTreeMap::new();
        for (pattern, percent) in to {
            let covered: Vec<_> = groups
                .iter()
                .filter(|((_, locality), _)| covers(pattern, locality) && !shares.contains_key(*locality))
                .map(|((_, locality), endpoints)| (*locality, sum(endpoints)))
                .collect();
            let total: u64 = covered.iter().map(|(_, weight)| u64::from(*weight)).sum();
            for (locality, weight) in covered {
                let share = (u64::from(weight) * u64::from(*percent)).div_ceil(total.max(1));
                shares.insert(locality, u32::try_from(share).unwrap_or(u32::MAX));
            }
        }
        Some(shares)
    }
}

/// The share of a locality in which all endpoints count by their own.
fn sum(endpoints: &[&Workload]) -> u32 {
    endpoints.iter().map(|endpoint| endpoint.weight.unwrap_or(1)).fold(0, u32::saturating_add)
}

/// Whether `pattern` (`region/zone/subzone`, what is left out or `*` is any) is about a locality.
fn covers(pattern: &str, locality: &Locality) -> bool {
    let pattern = locality::parse(pattern);
    let part = |wanted: &str, is: &str| wanted == "*" || wanted == is;
    part(&pattern.region, &locality.region)
        && (pattern.zone.is_empty() || part(&pattern.zone, &locality.zone))
        && (pattern.sub_zone.is_empty() || part(&pattern.sub_zone, &locality.sub_zone))
}

#[cfg(test)]
mod tests;
