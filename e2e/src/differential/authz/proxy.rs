//! The proxy that a configuration is for.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::configuration::Configuration;
use super::fields::{items, text};
pub(super) use super::jwt::generate::{LABELS, NAMESPACE, ROOT_NAMESPACE};
use super::random::Random;

/// The kind of what describes it among a configuration's resources. It is none of Istio's.
const KIND: &str = "Proxy";

/// What policies depend on besides themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Proxy {
    /// Whether it is the first that clients meet: it takes the client's address from the connection then, and else from
    /// `x-forwarded-for`.
    pub(super) is_gateway: bool,
    /// How many proxies stand in front of a gateway, and are believed.
    pub(super) trusted_hops: u64,
    /// What the mesh does with paths; Istio's word.
    pub(super) path_normalization: String,
    /// Whether our side is two filters, jwt-authn and authz, instead of the suite.
    pub(super) is_separate: bool,
    pub(super) trust_domain: String,
    pub(super) trust_domain_aliases: Vec<String>,
}

impl Proxy {
    /// A random one, as a resource.
    pub(super) fn random(random: &mut Random) -> Value {
        let mut spec = json!({});
        if random.chance(50) {
            spec["trustedHops"] = (*random.one(&[0, 0, 1, 1, 2])).into();
            spec["role"] = "gateway".into();
        }
        if random.chance(60) {
            spec["pathNormalization"] =
                random.pick(&["NONE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"]).into();
        }
        if random.chance(30) {
            spec["filters"] = "separate".into();
        }
        if random.chance(30) {
            spec["trustDomain"] = random.pick(&["td.example.com", "old.local"]).into();
        }
        if random.chance(35) {
            let aliases = ["old.local", "old-local", "td.example.com", "elsewhere"];
            let some: Vec<_> = aliases.iter().filter(|_| random.chance(40)).collect();
            spec["trustDomainAliases"] = json!(some);
        }
        json!({"kind": KIND, "spec": spec})
    }

    /// That of `configuration`.
    pub(super) fn of(configuration: &Configuration) -> Self {
        let spec = configuration.kind(KIND).next().map_or(Value::Null, |proxy| proxy["spec"].clone());
        let or = |field, default: &str| {
            let given = text(&spec, field);
            if given.is_empty() { default.to_owned() } else { given.to_owned() }
        };
        let aliases = items(&spec, "trustDomainAliases").iter().filter_map(Value::as_str);
        Self {
            is_gateway: text(&spec, "role") == "gateway",
            trusted_hops: spec["trustedHops"].as_u64().unwrap_or(0),
            path_normalization: or("pathNormalization", "BASE"),
            is_separate: text(&spec, "filters") == "separate",
            trust_domain: or("trustDomain", "cluster.local"),
            trust_domain_aliases: aliases.map(str::to_owned).collect(),
        }
    }

    /// Whether no `x-forwarded-for` is believed, so that the client is the peer.
    pub(super) fn client_is_peer(&self) -> bool {
        self.is_gateway && self.trusted_hops == 0
    }

    /// Our filters' configuration.
    pub(super) fn plugin(&self, configuration: &Configuration) -> Value {
        let labels: BTreeMap<_, _> = LABELS.into_iter().collect();
        let mut proxy = json!({
            "role": "sidecar", "direction": "inbound", "namespace": NAMESPACE, "rootNamespace": ROOT_NAMESPACE,
            "labels": labels, "trustDomain": self.trust_domain,
        });
        if self.client_is_peer() {
            proxy["clientIsPeer"] = true.into();
        }
        if !self.trust_domain_aliases.is_empty() {
            proxy["trustDomainAliases"] = self.trust_domain_aliases.clone().into();
        }
        let resources: Vec<_> =
            configuration.resources.iter().filter(|resource| resource["kind"] != KIND).collect();
        json!({"proxy": proxy, "resources": resources})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_that_is_taken_away_is_a_plain_one() {
        let described = json!({
            "kind": KIND,
            "spec": {"role": "gateway", "trustedHops": 2, "filters": "separate", "trustDomain": "td"},
        });
        let of = |resources: Vec<Value>| Proxy::of(&Configuration { tag: String::new(), resources });
        let (plain, other) = (of(Vec::new()), of(vec![described]));
        assert!(!plain.is_gateway && !plain.is_separate && plain.trusted_hops == 0);
        assert!(!plain.client_is_peer() && !other.client_is_peer());
        assert!(Proxy { trusted_hops: 0, ..other.clone() }.client_is_peer());
        assert_eq!((&*plain.trust_domain, &*plain.path_normalization), ("cluster.local", "BASE"));
        assert!(other.is_gateway && other.is_separate);
        assert_eq!((other.trusted_hops, &*other.trust_domain), (2, "td"));
    }
}
