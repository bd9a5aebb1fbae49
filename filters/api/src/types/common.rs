//! Values which several of Istio's resources share.

use std::{collections::BTreeMap, fmt};

/// Labels of a workload or a resource, or the labels a selector asks for.
pub type Labels = BTreeMap<String, String>;

/// Istio's `StringMatch`: how a string of a request is compared.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum StringMatch {
    /// Equal, byte for byte.
    Exact(String),
    /// Begins with this. A plain string prefix: `/foo` also covers `/foobar`.
    Prefix(String),
    /// The whole value matches (RE2 syntax, anchored at both ends).
    Regex(RegexSource),
    /// Any value will do, as long as there is one (`{}`).
    Present,
}

/// The source of a regular expression that compiles and is at most 1024 characters long. Not anchored: whoever
/// compiles it for matching wraps it in `\A(?:` and `)\z`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RegexSource(pub(crate) String);

impl RegexSource {
    /// The expression as the user wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RegexSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A share of all requests, in millionths, between none and all of them.
///
/// Istio cuts a percentage off at a ten-thousandth of a percent, which turns 0.57 % into 5699 millionths since
/// no `double` is 0.57. It is rounded to the nearest here: 5700. Nobody who writes `0.57` means the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Millionths(u32);

impl Millionths {
    /// No request.
    pub const NONE: Self = Self(0);
    /// Every request.
    pub const ALL: Self = Self(1_000_000);

    /// `count` of a million requests; more than a million is taken as all of them.
    pub const fn new(count: u32) -> Self {
        if count > 1_000_000 { Self::ALL } else { Self(count) }
    }

    /// From a percentage, rounded to the nearest millionth; `None` unless it is 0 or within 0.0001 and 100.
    pub fn from_percent(percent: f64) -> Option<Self> {
        let usable = percent == 0.0 || (0.0001..=100.0).contains(&percent);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        usable.then(|| Self((percent * 10_000.0).round() as u32))
    }

    /// How many of a million requests: 0 to 1,000,000.
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// A gateway that a VirtualService names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GatewayRef {
    /// The reserved word `mesh`: every sidecar.
    Mesh,
    /// A Gateway resource; a namespace which was left out is the one of the VirtualService.
    Named {
        /// The Gateway's namespace.
        namespace: String,
        /// The Gateway's name.
        name: String,
    },
}

/// Who may see a resource: Istio's `exportTo`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ExportTo {
    /// The field was left out: every namespace (unless the mesh configuration says otherwise).
    #[default]
    Default,
    /// `*`: every namespace.
    All,
    /// `~`: no namespace (ServiceEntry only).
    None,
    /// These namespaces; `.` has become the resource's own.
    Namespaces(Vec<String>),
}

/// A service which requests are sent to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Destination {
    /// A host name, fully qualified or short; [`crate::host::resolve_short_name`] completes it.
    pub host: String,
    /// The name of a subset of the host's DestinationRule.
    pub subset: Option<String>,
    /// The port of the service. `None`: its only one.
    pub port: Option<u16>,
}

/// Which workloads a resource is for, by their labels. An empty one means all of the namespace.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WorkloadSelector(pub Labels);

impl WorkloadSelector {
    /// Whether a workload with `labels` has each label this selector asks for.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.0.iter().all(|(key, value)| labels.get(key) == Some(value))
    }
}

/// A resource that a policy is attached to, in place of a selector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetRef {
    /// The API group; empty for Kubernetes' core.
    pub group: String,
    /// What kind of resource.
    pub kind: TargetKind,
    /// Its name, in the namespace of the policy.
    pub name: String,
}

/// The kinds a [`TargetRef`] may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetKind {
    /// A Gateway of the Kubernetes Gateway API.
    Gateway,
    /// A GatewayClass: that of all waypoints, from the root namespace.
    GatewayClass,
    /// A Kubernetes Service.
    Service,
    /// A ServiceEntry.
    ServiceEntry,
}

/// Which workloads a policy is for. Istio allows one of the forms.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Target {
    /// Neither selector nor target: the whole namespace, or from the root namespace the whole mesh.
    #[default]
    All,
    /// Those with these labels.
    Selector(WorkloadSelector),
    /// Those behind these resources.
    Refs(Vec<TargetRef>),
}

/// A header's new value.
pub type HeaderValue = (String, String);

/// Changes to headers: Istio's `HeaderOperations`. Names are in lower case; `set` and `add` are sorted by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HeaderOperations {
    /// Replaces the header, or adds it. An empty value changes nothing (Envoy drops it).
    pub set: Vec<HeaderValue>,
    /// Adds a further line.
    pub add: Vec<HeaderValue>,
    /// Takes every line of the header away.
    pub remove: Vec<String>,
}

/// Changes to the headers of a request and of its response.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Headers {
    /// On the way to the service.
    pub request: HeaderOperations,
    /// On the way back.
    pub response: HeaderOperations,
}

/// A port with a protocol and a name, as Gateway, ServiceEntry and Sidecar have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// 1 to 65535 (0 only where a Gateway server is bound to a unix socket).
    pub number: u16,
    /// What is spoken there.
    pub protocol: Protocol,
    /// The port's name within the resource.
    pub name: String,
    /// The port of the workload, where it differs (ServiceEntry only).
    pub target_port: Option<u16>,
}

/// Istio's protocols of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Protocol {
    Http,
    Https,
    Http2,
    Grpc,
    GrpcWeb,
    Mongo,
    Redis,
    MySql,
    Tcp,
    Tls,
    Udp,
    /// A ServiceEntry port without a protocol, or one which Istio does not know: taken as TCP.
    Unspecified,
}

impl Protocol {
    /// Whether requests can be read on such a port without terminating TLS first.
    pub fn is_http(self) -> bool {
        matches!(self, Self::Http | Self::Http2 | Self::Grpc | Self::GrpcWeb)
    }

    /// The same, or nobody has said otherwise.
    pub fn may_be_http(self) -> bool {
        self.is_http() || self == Self::Unspecified
    }
}
