//! A filter's configuration: who this proxy is, the resources, and the servers that they name.

mod decision_record;
mod metrics;

pub use decision_record::DecisionRecord;
pub use metrics::MetricLimits;
use serde_json::json;

use crate::{
    check,
    decode::{Context, Cursor, Decoder, Object, Sink},
    json,
    node::Node,
    parse::Reader,
    path::FieldPath,
    problem::{Problem, Severity, code},
    resource::{Ignored, Resource},
    types::{common::Labels, extension_provider::ExtensionProvider},
};

/// `{ "proxy": {…}, "resources": […], "extensionProviders": […], "decisionRecord": {…}, "metrics": {…} }`
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Config {
    /// Who this proxy is.
    pub proxy: Proxy,
    /// What it carries out.
    pub resources: Vec<Resource>,
    /// MeshConfig's `extensionProviders`, of those that authorize requests; optional.
    pub extension_providers: Vec<ExtensionProvider>,
    /// Where its decisions are told; optional.
    pub decision_record: DecisionRecord,
    /// How much it measures; optional.
    pub metrics: MetricLimits,
}

/// Who a proxy is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// `role`: gateway or sidecar.
    pub role: Role,
    /// `workload`: its name, for metrics.
    pub workload: String,
    /// `namespace`
    pub namespace: String,
    /// `labels`: those of its workload.
    pub labels: Labels,
    /// `serviceAccount`: its name, or the whole SPIFFE ID of the workload's certificate.
    pub service_account: Option<String>,
    /// `trustDomain`; default `cluster.local`.
    pub trust_domain: String,
    /// `trustDomainAliases`: further names of the trust domain.
    pub trust_domain_aliases: Vec<String>,
    /// `rootNamespace`: where resources count for the whole mesh; default `istio-system`.
    pub root_namespace: String,
    /// `clusterDomain`: ending of the names of services; default `cluster.local`.
    pub cluster_domain: String,
    /// `direction`: of a sidecar, which of its listeners this filter is on.
    pub direction: Option<Direction>,
    /// `port`: of the Gateway server, or of the listener, that this filter serves. `None`: ask Envoy.
    pub port: Option<u16>,
    /// `clientIsPeer`: no `x-forwarded-for` is believed (Envoy's `use_remote_address: true` without `xff_num_trusted_hops`), so that the
    /// attribute `source.address` is the TCP peer's own. Default false: Envoy is asked for the peer's address first.
    pub client_is_peer: bool,
}

/// The part a proxy plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Stands at the edge of the mesh.
    Gateway,
    /// Stands beside one workload.
    Sidecar,
}

/// Which way a request goes through a sidecar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// To the workload.
    Inbound,
    /// From the workload.
    Outbound,
}

impl Default for Proxy {
    /// A gateway of no particular name in namespace `default`.
    fn default() -> Self {
        Self {
            role: Role::Gateway,
            workload: String::new(),
            namespace: "default".into(),
            labels: Labels::new(),
            service_account: None,
            trust_domain: "cluster.local".into(),
            trust_domain_aliases: Vec::new(),
            root_namespace: "istio-system".into(),
            cluster_domain: "cluster.local".into(),
            direction: None,
            port: None,
            client_is_peer: false,
        }
    }
}

impl Proxy {
    /// Whether requests end here as far as Istio is concerned: at a gateway and on a sidecar's inbound listener. That
    /// is where it authenticates and authorizes them.
    pub fn receives(&self) -> bool {
        self.role == Role::Gateway || self.direction != Some(Direction::Outbound)
    }

    /// Whether VirtualServices apply: at a gateway and on a sidecar's outbound listener.
    pub fn routes(&self) -> bool {
        self.role == Role::Gateway || self.direction == Some(Direction::Outbound)
    }

    fn decode(fields: &Object<'_>) -> Option<Self> {
        let role = fields.required("role", |role| role.one_of(&ROLES));
        let workload = fields.text("workload").unwrap_or_default();
        let mut proxy = Self { role: role.unwrap_or(Role::Gateway), workload, ..Self::default() };
        let label = |name| fields.get(name, |field| field.checked(check::names::dns_label));
        let domain = |name| fields.get(name, |field| field.checked(check::names::host));
        proxy.namespace = label("namespace").unwrap_or(proxy.namespace);
        proxy.root_namespace = label("rootNamespace").unwrap_or(proxy.root_namespace);
        proxy.trust_domain = domain("trustDomain").unwrap_or(proxy.trust_domain);
        proxy.trust_domain_aliases =
            fields.list("trustDomainAliases", |alias| alias.checked(check::names::host));
        proxy.cluster_domain = domain("clusterDomain").unwrap_or(proxy.cluster_domain);
        proxy.labels = fields.get("labels", |at| at.labels()).unwrap_or_default();
        proxy.service_account = fields.text("serviceAccount");
        proxy.direction = fields.get("direction", |direction| direction.one_of(&DIRECTIONS));
        proxy.port = fields.get("port", |at| at.port());
        proxy.client_is_peer = fields.get("clientIsPeer", |at| at.bool()).unwrap_or_default();
        Some(proxy)
    }

    fn to_json(&self) -> serde_json::Value {
        let name = |names: &[(&'static str, Role)]| {
            names.iter().find(|(_, role)| *role == self.role).map(|(name, _)| *name)
        };
        let direction = DIRECTIONS
            .iter()
            .find(|(_, direction)| Some(*direction) == self.direction)
            .map(|(name, _)| *name);
        let mut json = json!({
            "role": name(&ROLES),
            "workload": self.workload,
            "namespace": self.namespace,
            "labels": self.labels,
            "trustDomain": self.trust_domain,
            "rootNamespace": self.root_namespace,
            "clusterDomain": self.cluster_domain,
        });
        let optional = [
            ("serviceAccount", self.service_account.as_ref().map(|account| json!(account))),
            (
                "trustDomainAliases",
                Some(&self.trust_domain_aliases).filter(|all| !all.is_empty()).map(|all| json!(all)),
            ),
            ("direction", direction.map(|direction| json!(direction))),
            ("port", self.port.map(|port| json!(port))),
            ("clientIsPeer", self.client_is_peer.then_some(json!(true))),
        ];
        if let Some(fields) = json.as_object_mut() {
            fields.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        }
        json
    }
}

impl Config {
    /// Reads a filter's configuration. All of it must be usable: what a proxy can't carry out is refused, with the
    /// path of each field, such as `resources[2].spec.http[0].timeout`. Warnings are only for people's eyes, and
    /// given by the command that people use. A resource without a namespace is in the proxy's.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn from_json(text: &[u8]) -> Result<Self, Vec<Problem>> {
        Self::from_reader(text, Reader::new(None, "default", &Decoder::ALL))
    }

    /// The same for a filter that carries out what `decoders` read. Resources of other kinds are another filter's, and
    /// left out unread. [`Resource::node`] is null: this configuration is not for writing back.
    ///
    /// # Errors
    /// As [`Config::from_json`].
    pub fn read(text: &[u8], decoders: &[Decoder]) -> Result<Self, Vec<Problem>> {
        Self::from_reader(text, Reader::new(None, "default", decoders).without_nodes())
    }

    fn from_reader(text: &[u8], mut reader: Reader) -> Result<Self, Vec<Problem>> {
        let mut node = match json::parse(text) {
            Ok(node) => node,
            Err(error) => {
                let message = error.message + ", where a `StringValue` with JSON belongs";
                reader.unreadable(code::CONFIG, message, Some(error.position));
                return Err(reader.parsed.problems);
            }
        };
        // Taken out of the tree, not copied: memory that a filter's VM has once had it keeps.
        let resources = node.get_mut("resources").and_then(Node::take_items).unwrap_or_default();
        let sink = Sink::new(Context::default());
        let (mut extension_providers, mut decision_record, mut metrics) = (Vec::new(), None, None);
        let proxy = Cursor::root(&node, &sink).object(|fields| {
            fields.list("resources", |_| Some(()));
            fields.skip("extensionProviders");
            let decoded = reader.decoders().iter().find_map(|decoder| decoder.providers(fields));
            extension_providers = decoded.unwrap_or_default();
            decision_record = fields.get("decisionRecord", |record| record.object(DecisionRecord::decode));
            metrics = fields.get("metrics", |metrics| metrics.object(MetricLimits::decode));
            fields.required("proxy", |proxy| proxy.object(Proxy::decode))
        });
        if let Some(proxy) = &proxy {
            reader.default_namespace.clone_from(&proxy.namespace);
        }
        for (index, resource) in resources.into_iter().enumerate() {
            reader.read(resource, &FieldPath::root().field("resources").index(index));
        }
        let mut problems: Vec<_> = sink.into_problems().into_iter().filter_map(refused).collect();
        for problem in &mut problems {
            problem.code = code::CONFIG;
        }
        problems.extend(reader.parsed.problems.into_iter().filter_map(refused));
        problems.extend(reader.parsed.ignored.iter().map(foreign));
        match proxy {
            Some(proxy) if problems.is_empty() => Ok(Self {
                proxy,
                resources: reader.parsed.resources,
                extension_providers,
                decision_record: decision_record.unwrap_or_default(),
                metrics: metrics.unwrap_or_default(),
            }),
            _ => Err(problems),
        }
    }

    /// The same as JSON, which [`Config::from_json`] reads.
    pub fn to_json(&self) -> serde_json::Value {
        let resources: Vec<_> = self.resources.iter().map(Resource::to_json).collect();
        let mut json = json!({ "proxy": self.proxy.to_json(), "resources": resources });
        if let Some(fields) = json.as_object_mut() {
            if !self.extension_providers.is_empty() {
                let providers: Vec<_> =
                    self.extension_providers.iter().map(ExtensionProvider::to_json).collect();
                fields.insert("extensionProviders".to_owned(), json!(providers));
            }
            if self.decision_record != DecisionRecord::default() {
                fields.insert("decisionRecord".to_owned(), self.decision_record.to_json());
            }
            if self.metrics != MetricLimits::default() {
                fields.insert("metrics".to_owned(), self.metrics.to_json());
            }
        }
        json
    }
}

/// A resource without effect is no error in a user's folder, but in a filter it is.
fn refused(mut problem: Problem) -> Option<Problem> {
    if problem.code == code::UNSUPPORTED {
        problem.severity = Severity::Error;
    }
    problem.is_error().then_some(problem)
}

fn foreign(ignored: &Ignored) -> Problem {
    let kind = ignored.resource.kind.as_deref().unwrap_or_default();
    Problem {
        severity: Severity::Error,
        code: code::CONFIG,
        message: format!("`{kind}` of `{}` has no effect in a filter", ignored.api_version),
        hint: None,
        path: FieldPath::root().field("resources"),
        position: None,
        file: None,
        resource: ignored.resource.clone(),
    }
}

const ROLES: [(&str, Role); 2] = [("gateway", Role::Gateway), ("sidecar", Role::Sidecar)];

const DIRECTIONS: [(&str, Direction); 2] =
    [("inbound", Direction::Inbound), ("outbound", Direction::Outbound)];

#[cfg(test)]
mod tests;
