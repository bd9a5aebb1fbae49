//! `envoy.config.route.v3`

use std::borrow::Cow;

use serde::Serialize;

use super::any::Extension;
use super::scalars::{AnyCase, Seconds, StringMatcher, is_default};

/// Where a listener's requests go.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RouteConfiguration {
    /// Its name.
    pub name: String,
    /// Whether routes to clusters that are not there are refused. Not so, as under Istio: the service may come later, and a
    /// copy of a request that can't be sent harms nobody.
    pub validate_clusters: bool,
    /// A host with a port is the host.
    #[serde(skip_serializing_if = "is_default")]
    pub ignore_port_in_host_matching: bool,
    /// By host.
    pub virtual_hosts: Vec<VirtualHost>,
}

/// The routes of some hosts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VirtualHost {
    /// Its name.
    pub name: String,
    /// The hosts.
    pub domains: Vec<String>,
    /// `ALL`: who comes by plain HTTP is sent to the same URL by HTTPS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub require_tls: Option<&'static str>,
    /// Tells the service which try this is.
    #[serde(skip_serializing_if = "is_default")]
    pub include_request_attempt_count: bool,
    /// The first that matches is taken.
    pub routes: Vec<Route>,
}

/// A route.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Route {
    /// Its name, in logs.
    pub name: String,
    /// Which requests.
    #[serde(rename = "match")]
    pub matches: RouteMatch,
    /// What is done with them.
    #[serde(flatten)]
    pub action: Action,
    /// Kept from the service.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub request_headers_to_remove: Vec<&'static str>,
}

/// Which requests take a route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RouteMatch {
    /// The path begins with this.
    pub prefix: &'static str,
    /// All of these are there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<HeaderMatcher>,
}

/// What a header must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeaderMatcher {
    /// Its name.
    pub name: Cow<'static, str>,
    /// What of it.
    #[serde(flatten)]
    pub matches: HeaderMatch,
    /// It must not be so.
    #[serde(skip_serializing_if = "is_default")]
    pub invert_match: bool,
}

impl HeaderMatcher {
    /// The header `name` is so.
    pub fn new(name: impl Into<Cow<'static, str>>, matches: HeaderMatch) -> Self {
        Self { name: name.into(), matches, invert_match: false }
    }
}

/// What a header must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HeaderMatch {
    /// `true`: there.
    PresentMatch(bool),
    /// As this says.
    StringMatch(StringMatcher),
    /// As this says.
    #[serde(rename = "string_match")]
    AnyCase(AnyCase),
}

/// What is done with a request.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It is sent on.
    Route(Box<RouteAction>),
    /// It is answered.
    DirectResponse {
        /// With this status.
        status: u16,
    },
}

/// How a request is sent on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RouteAction {
    /// Where.
    #[serde(flatten)]
    pub cluster: ClusterSpecifier,
    /// The answer if that cluster is not there.
    pub cluster_not_found_response_code: &'static str,
    /// Stands in place of the prefix that the path was matched with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix_rewrite: Option<&'static str>,
    /// 0: none.
    pub timeout: Seconds,
    /// 0: what a client's `grpc-timeout` says is the timeout. Deprecated, but the only form in which Envoy tells the
    /// upstream the time that is left, and the one that Istio writes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_grpc_timeout: Option<Seconds>,
    /// Limits of a stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_stream_duration: Option<MaxStreamDuration>,
    /// When it is tried again.
    pub retry_policy: RetryPolicy,
    /// Where copies of it are sent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub request_mirror_policies: Vec<MirrorPolicy>,
}

/// Where a copy of a request is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MirrorPolicy {
    /// To this cluster.
    pub cluster: String,
    /// Of how many requests.
    pub runtime_fraction: RuntimeFraction,
    /// Whether the copy is traced.
    pub trace_sampled: bool,
    /// Leaves the host as it is, without `-shadow` behind it.
    pub disable_shadow_host_suffix_append: bool,
}

/// `envoy.config.core.v3.RuntimeFractionalPercent`, without a key: a share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuntimeFraction {
    /// The share.
    pub default_value: FractionalPercent,
}

/// `envoy.type.v3.FractionalPercent`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FractionalPercent {
    /// How many of them.
    pub numerator: u32,
    /// `MILLION`
    pub denominator: &'static str,
}

/// Where a request is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClusterSpecifier {
    /// The cluster that this header names.
    ClusterHeader(&'static str),
    /// This one.
    Cluster(String),
}

/// Limits of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MaxStreamDuration {
    /// 0: none.
    pub max_stream_duration: Seconds,
    /// 0: what the client's `grpc-timeout` says counts.
    pub grpc_timeout_header_max: Seconds,
}

/// When a request is tried again.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RetryPolicy {
    /// Conditions, separated by commas.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub retry_on: String,
    /// How often.
    pub num_retries: u32,
    /// How long one try may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_try_timeout: Option<Seconds>,
    /// Statuses of the condition `retriable-status-codes`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub retriable_status_codes: Vec<u16>,
    /// Which priorities are tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_priority: Option<Extension>,
    /// Which hosts are not tried again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub retry_host_predicate: Vec<Extension>,
    /// How often another host is looked for.
    #[serde(skip_serializing_if = "is_default")]
    pub host_selection_retry_max_attempts: u32,
    /// Time between tries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_back_off: Option<BackOff>,
}

/// Time between tries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BackOff {
    /// Grows from this, with jitter.
    pub base_interval: Seconds,
}
