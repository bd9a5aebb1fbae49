//! A resource: what it is called, where it comes from, and what it says.

use std::{fmt, sync::Arc};

use crate::{
    json,
    node::{Node, Position},
    path::FieldPath,
    problem::{Problem, ResourceName, Severity, printable},
    types::{
        authorization_policy::AuthorizationPolicy,
        common::Labels,
        destination_rule::DestinationRule,
        gateway::Gateway,
        kubernetes::{EndpointSlice, Service, Workload},
        peer_authentication::PeerAuthentication,
        request_authentication::RequestAuthentication,
        service_entry::ServiceEntry,
        sidecar::Sidecar,
        telemetry::Telemetry,
        virtual_service::VirtualService,
        workload_entry::WorkloadEntry,
    },
};

/// A valid resource.
#[derive(Clone, PartialEq)]
pub struct Resource {
    /// Its name and labels.
    pub meta: Metadata,
    /// As written, such as `networking.istio.io/v1`.
    pub api_version: String,
    /// What it is.
    pub kind: Kind,
    /// What it says.
    pub spec: Spec,
    /// Where it comes from.
    pub source: Source,
    /// The whole resource as it was read; null in a filter, whose memory is dear.
    pub node: Arc<Node>,
}

impl fmt::Debug for Resource {
    /// Without what it was read from: that may be a secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { meta, api_version, kind, spec, source, node: _ } = self;
        let mut all = formatter.debug_struct("Resource");
        all.field("meta", meta).field("api_version", api_version).field("kind", kind).field("spec", spec);
        all.field("source", source).finish_non_exhaustive()
    }
}

/// Kubernetes' metadata.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Metadata {
    /// Its name.
    pub name: String,
    /// Its namespace; the default one if it was left out.
    pub namespace: String,
    /// Its labels.
    pub labels: Labels,
    /// Its annotations.
    pub annotations: Labels,
    /// When it was made. `None` counts as older than any.
    pub creation_timestamp: Option<Timestamp>,
}

/// A point in time: seconds since 1970, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// Where a resource comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Source {
    /// The file; `None` in a filter.
    pub file: Option<Arc<str>>,
}

/// The kinds of resources that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "Istio's and Kubernetes' own names")]
pub enum Kind {
    AuthorizationPolicy,
    Deployment,
    DestinationRule,
    EndpointSlice,
    Gateway,
    Namespace,
    PeerAuthentication,
    Pod,
    RequestAuthentication,
    Secret,
    Service,
    ServiceEntry,
    Sidecar,
    Telemetry,
    VirtualService,
    WorkloadEntry,
    WorkloadGroup,
}

/// What a resource says.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "Istio's and Kubernetes' own names")]
pub enum Spec {
    AuthorizationPolicy(AuthorizationPolicy),
    DestinationRule(Box<DestinationRule>),
    EndpointSlice(EndpointSlice),
    Gateway(Gateway),
    /// Its labels are in the metadata.
    Namespace,
    PeerAuthentication(PeerAuthentication),
    RequestAuthentication(RequestAuthentication),
    /// What it holds is read from [`Resource::node`] by whom it concerns, and never shown.
    Secret,
    Service(Service),
    ServiceEntry(ServiceEntry),
    Sidecar(Sidecar),
    Telemetry(Telemetry),
    VirtualService(VirtualService),
    /// A Pod or a Deployment.
    Workload(Workload),
    WorkloadEntry(WorkloadEntry),
    /// It is checked, and nothing of it is used: nobody registers workloads here.
    WorkloadGroup,
}

/// What was found in a text.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Parsed {
    /// The resources without errors.
    pub resources: Vec<Resource>,
    /// Those of kinds that Outrigger has no use for.
    pub ignored: Vec<Ignored>,
    /// Everything that is wrong, in the order of the text.
    pub problems: Vec<Problem>,
}

/// A resource of a kind that Outrigger has no use for, such as a ConfigMap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignored {
    /// Its `apiVersion`.
    pub api_version: String,
    /// Its kind, namespace and name.
    pub resource: ResourceName,
    /// Where it stands.
    pub position: Option<Position>,
    /// The file it was read from.
    pub file: Option<Arc<str>>,
}

impl Resource {
    /// An error of the field at `path`, such as `spec.http[0].timeout`.
    pub fn error(&self, path: &str, code: &'static str, message: impl Into<String>) -> Problem {
        Problem {
            severity: Severity::Error,
            code,
            message: printable(message.into()),
            hint: None,
            path: FieldPath::parse(path),
            position: self.position(path),
            file: self.source.file.clone(),
            resource: ResourceName {
                kind: Some(self.kind.to_string()),
                namespace: Some(self.meta.namespace.clone()),
                name: Some(self.meta.name.clone()),
            },
        }
    }

    /// `namespace/name`
    pub fn id(&self) -> String {
        format!("{}/{}", self.meta.namespace, self.meta.name)
    }

    /// Where the field at `path` (such as `spec.http[0].route[1]`) stands, or its nearest ancestor.
    pub fn position(&self, path: &str) -> Option<Position> {
        // A text without positions has none anywhere; filters read such, and ask for each of thousands of rules.
        self.node.position?;
        self.node.locate(&FieldPath::parse(path))
    }
}

impl Resource {
    /// The resource as JSON: everything as it was read, but of the metadata only what is used, with the namespace
    /// filled in, and without the status.
    pub fn to_json(&self) -> serde_json::Value {
        let mut json = json::from_node(&self.node);
        let written = json.get("metadata").and_then(|metadata| metadata.get("creationTimestamp")).cloned();
        let mut metadata = serde_json::json!({ "name": self.meta.name });
        if let Some(fields) = metadata.as_object_mut() {
            let namespace = Some(&self.meta.namespace).filter(|namespace| !namespace.is_empty());
            let labels = |labels: &Labels| (!labels.is_empty()).then(|| serde_json::json!(labels));
            let optional = [
                ("namespace", namespace.map(|namespace| serde_json::json!(namespace))),
                ("labels", labels(&self.meta.labels)),
                ("annotations", labels(&self.meta.annotations)),
                ("creationTimestamp", written.filter(|time| !time.is_null())),
            ];
            fields.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        }
        if let Some(fields) = json.as_object_mut() {
            fields.remove("status");
            fields.insert("metadata".to_owned(), metadata);
        }
        json
    }
}

impl Kind {
    /// As in the field `kind`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationPolicy => "AuthorizationPolicy",
            Self::Deployment => "Deployment",
            Self::DestinationRule => "DestinationRule",
            Self::EndpointSlice => "EndpointSlice",
            Self::Gateway => "Gateway",
            Self::Namespace => "Namespace",
            Self::PeerAuthentication => "PeerAuthentication",
            Self::Pod => "Pod",
            Self::RequestAuthentication => "RequestAuthentication",
            Self::Secret => "Secret",
            Self::Service => "Service",
            Self::ServiceEntry => "ServiceEntry",
            Self::Sidecar => "Sidecar",
            Self::Telemetry => "Telemetry",
            Self::VirtualService => "VirtualService",
            Self::WorkloadEntry => "WorkloadEntry",
            Self::WorkloadGroup => "WorkloadGroup",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
