//! Whether peers of a workload must show a certificate: PeerAuthentications, put together as Istio does.

use std::collections::BTreeMap;

use super::by_age;
use crate::ordered;
use crate::resource::{Resource, Spec};
use crate::types::common::Labels;
use crate::types::peer_authentication::{MtlsMode, PeerAuthentication};

/// What a port of a workload asks of its peers, once nothing is left to inherit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PeerMode {
    /// `DISABLE`: plain text only.
    Disable,
    /// `PERMISSIVE`: both. Istio's default.
    Permissive,
    /// `STRICT`: mutual TLS only.
    Strict,
}

impl PeerMode {
    /// As Istio writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disable => "DISABLE",
            Self::Permissive => "PERMISSIVE",
            Self::Strict => "STRICT",
        }
    }

    /// `None` for `UNSET`.
    fn new(mode: MtlsMode) -> Option<Self> {
        match mode {
            MtlsMode::Unset => None,
            MtlsMode::Disable => Some(Self::Disable),
            MtlsMode::Permissive => Some(Self::Permissive),
            MtlsMode::Strict => Some(Self::Strict),
        }
    }
}

/// A mode, and the PeerAuthentication that has set it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PeerPolicy<'r> {
    /// The mode.
    pub mode: PeerMode,
    /// Whose. `None`: nobody has set one.
    pub by: Option<&'r Resource>,
}

/// The modes of a workload.
#[derive(Debug, Clone, PartialEq)]
pub struct PeerPolicies<'r> {
    workload: PeerPolicy<'r>,
    by_port: BTreeMap<u16, PeerPolicy<'r>>,
}

/// How wide a PeerAuthentication reaches; the later of two counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PeerScope {
    /// In the root namespace: all workloads.
    Mesh,
    /// All workloads of its namespace.
    Namespace,
    /// Those that it selects.
    Workload,
}

/// How wide a PeerAuthentication reaches. `None`: it is in the root namespace and has a selector, which Istio ignores
/// altogether.
pub fn peer_scope(
    resource: &Resource,
    authentication: &PeerAuthentication,
    root_namespace: &str,
) -> Option<PeerScope> {
    let selects = authentication.selector.as_ref().is_some_and(|selector| !selector.0.is_empty());
    match (resource.meta.namespace == root_namespace, selects) {
        (true, true) => None,
        (true, false) => Some(PeerScope::Mesh),
        (false, false) => Some(PeerScope::Namespace),
        (false, true) => Some(PeerScope::Workload),
    }
}

impl<'r> PeerPolicies<'r> {
    /// The modes of a workload in `namespace` with `labels`: of each scope the oldest PeerAuthentication counts, and
    /// what it leaves unset is as the next wider one says.
    pub fn of(resources: &'r [Resource], namespace: &str, labels: &Labels, root_namespace: &str) -> Self {
        let mut counting = BTreeMap::new();
        for (scope, resource, authentication) in applying(resources, namespace, labels, root_namespace) {
            counting.entry(scope).or_insert((resource, authentication));
        }
        let mut workload = PeerPolicy { mode: PeerMode::Permissive, by: None };
        for (resource, authentication) in counting.values() {
            if let Some(mode) = PeerMode::new(authentication.mode) {
                workload = PeerPolicy { mode, by: Some(*resource) };
            }
        }
        let mut by_port = BTreeMap::new();
        if let Some((resource, authentication)) = counting.get(&PeerScope::Workload) {
            for (port, mode) in &authentication.port_level {
                let own = PeerMode::new(*mode).map(|mode| PeerPolicy { mode, by: Some(*resource) });
                by_port.insert(*port, own.unwrap_or(workload));
            }
        }
        Self { workload, by_port }
    }

    /// What counts on this port of the workload.
    pub fn of_port(&self, port: u16) -> PeerPolicy<'r> {
        self.by_port.get(&port).copied().unwrap_or(self.workload)
    }

    /// What counts on ports of which nothing is said.
    pub fn of_workload(&self) -> PeerPolicy<'r> {
        self.workload
    }

    /// The ports of which something is said.
    pub fn ports(&self) -> impl Iterator<Item = u16> {
        self.by_port.keys().copied()
    }
}

/// The PeerAuthentications that are for a workload, the oldest first; of one scope only the first counts.
pub fn applying<'r>(
    resources: &'r [Resource],
    namespace: &str,
    labels: &Labels,
    root_namespace: &str,
) -> Vec<(PeerScope, &'r Resource, &'r PeerAuthentication)> {
    let mut applying: Vec<_> = resources
        .iter()
        .filter_map(|resource| {
            let Spec::PeerAuthentication(authentication) = &resource.spec else { return None };
            let scope = peer_scope(resource, authentication, root_namespace)?;
            let here = scope == PeerScope::Mesh || resource.meta.namespace == namespace;
            let selected = authentication.selector.as_ref().is_none_or(|selector| selector.matches(labels));
            (here && selected).then_some((scope, resource, authentication))
        })
        .collect();
    ordered::sort_by(&mut applying, |(_, one, _), (_, other, _)| by_age(one, other));
    applying
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    /// Policies as `namespace/name scope mode [port=mode…] [@age]`, one after a semicolon each; scope is `*` or `app`.
    fn resources(text: &str) -> Vec<Resource> {
        text.split(';').map(str::trim).filter(|line| !line.is_empty()).map(resource).collect()
    }

    fn resource(line: &str) -> Resource {
        let mut words = line.split_whitespace();
        let mut word = || words.next().unwrap();
        let (namespace, name) = word().split_once('/').unwrap();
        let selector = match word() {
            "*" => String::new(),
            "{}" => r#""selector": {"matchLabels": {}},"#.to_owned(),
            app => format!(r#""selector": {{"matchLabels": {{"app": "{app}"}}}},"#),
        };
        let mode = word();
        let (mut ports, mut created) = (Vec::new(), String::new());
        for more in words {
            match more.split_once('=') {
                Some((port, mode)) => ports.push(format!(r#""{port}": {{"mode": "{mode}"}}"#)),
                None => {
                    created = format!(
                        r#", "creationTimestamp": "2020-01-0{}T00:00:00Z""#,
                        more.trim_start_matches('@')
                    )
                }
            }
        }
        let ports = match ports.as_slice() {
            [] => String::new(),
            ports => format!(r#", "portLevelMtls": {{{}}}"#, ports.join(",")),
        };
        let json = format!(
            r#"{{"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication",
                "metadata": {{"name": "{name}", "namespace": "{namespace}"{created}}},
                "spec": {{{selector} "mtls": {{"mode": "{mode}"}}{ports}}}}}"#
        );
        let parsed = crate::parse_json(json.as_bytes(), "default");
        assert!(!parsed.problems.iter().any(crate::Problem::is_error), "{:?}", parsed.problems);
        parsed.resources.into_iter().next().unwrap()
    }

    #[rstest]
    // Nothing is said: Istio's default.
    #[case("", 80, "PERMISSIVE", None)]
    // Each scope by itself.
    #[case("istio-system/m * STRICT", 80, "STRICT", Some("m"))]
    #[case("ns/n * STRICT", 80, "STRICT", Some("n"))]
    #[case("ns/n {} STRICT", 80, "STRICT", Some("n"))]
    #[case("ns/w web STRICT", 80, "STRICT", Some("w"))]
    // Those of other workloads and namespaces.
    #[case("ns/w other STRICT", 80, "PERMISSIVE", None)]
    #[case("other/n * STRICT", 80, "PERMISSIVE", None)]
    #[case("other/w web STRICT", 80, "PERMISSIVE", None)]
    // The narrower wins.
    #[case("istio-system/m * STRICT; ns/n * DISABLE", 80, "DISABLE", Some("n"))]
    #[case("istio-system/m * STRICT; ns/w web PERMISSIVE", 80, "PERMISSIVE", Some("w"))]
    #[case("istio-system/m * DISABLE; ns/n * PERMISSIVE; ns/w web STRICT", 80, "STRICT", Some("w"))]
    #[case("istio-system/m * STRICT; ns/n * DISABLE; ns/w other STRICT", 80, "DISABLE", Some("n"))]
    // UNSET inherits, from scope to scope.
    #[case("istio-system/m * UNSET", 80, "PERMISSIVE", None)]
    #[case("istio-system/m * STRICT; ns/n * UNSET", 80, "STRICT", Some("m"))]
    #[case("istio-system/m * STRICT; ns/n * UNSET; ns/w web UNSET", 80, "STRICT", Some("m"))]
    #[case("istio-system/m * STRICT; ns/n * DISABLE; ns/w web UNSET", 80, "DISABLE", Some("n"))]
    // A selector in the root namespace counts for nobody, not even there.
    #[case("istio-system/m web STRICT", 80, "PERMISSIVE", None)]
    #[case("istio-system/m web STRICT; ns/n * DISABLE", 80, "DISABLE", Some("n"))]
    // The oldest of a scope, then by name; one without a time is the oldest.
    #[case("ns/a * STRICT @2; ns/b * DISABLE @1", 80, "DISABLE", Some("b"))]
    #[case("ns/b * STRICT @1; ns/a * DISABLE @1", 80, "DISABLE", Some("a"))]
    #[case("ns/b * STRICT; ns/a * DISABLE @1", 80, "STRICT", Some("b"))]
    #[case("ns/b web STRICT; ns/a web DISABLE", 80, "DISABLE", Some("a"))]
    #[case("istio-system/b * STRICT @1; istio-system/a * DISABLE @2", 80, "STRICT", Some("b"))]
    // The oldest counts also where it says nothing: the younger one is not asked.
    #[case("ns/a * UNSET; ns/b * STRICT", 80, "PERMISSIVE", None)]
    // Ports.
    #[case("ns/w web STRICT 80=DISABLE", 80, "DISABLE", Some("w"))]
    #[case("ns/w web STRICT 80=DISABLE", 81, "STRICT", Some("w"))]
    #[case("ns/w web STRICT 80=UNSET", 80, "STRICT", Some("w"))]
    #[case("ns/n * DISABLE; ns/w web UNSET 80=STRICT", 80, "STRICT", Some("w"))]
    #[case("ns/n * DISABLE; ns/w web UNSET 80=STRICT", 81, "DISABLE", Some("n"))]
    #[case("ns/n * DISABLE; ns/w web UNSET 80=UNSET", 80, "DISABLE", Some("n"))]
    // Ports of one that does not count.
    #[case("ns/a web STRICT; ns/b web STRICT 80=DISABLE", 80, "STRICT", Some("a"))]
    #[case("istio-system/m web STRICT 80=DISABLE", 80, "PERMISSIVE", None)]
    fn modes(#[case] policies: &str, #[case] port: u16, #[case] mode: &str, #[case] by: Option<&str>) {
        let resources = resources(policies);
        let labels = Labels::from([("app".to_owned(), "web".to_owned())]);
        let policy = PeerPolicies::of(&resources, "ns", &labels, "istio-system").of_port(port);
        let found = (policy.mode.as_str(), policy.by.map(|resource| resource.meta.name.as_str()));
        assert_eq!(found, (mode, by), "{policies}");
    }

    #[test]
    fn in_the_root_namespace_itself_the_meshs_policy_counts() {
        let resources = resources("istio-system/m * STRICT; istio-system/w web DISABLE");
        let labels = Labels::from([("app".to_owned(), "web".to_owned())]);
        let policies = PeerPolicies::of(&resources, "istio-system", &labels, "istio-system");
        assert_eq!(policies.of_workload().mode, PeerMode::Strict);
    }
}
