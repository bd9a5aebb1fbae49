//! `HttpConnectionManager` and what stands in it besides routes.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Any;
use super::access_log::AccessLog;
use super::any::Extension;
use super::discovery::ExtensionConfigSource;
use super::route::{HeaderMatcher, RouteConfiguration};
use super::scalars::{Seconds, is_default};
use super::tracing::Tracing;

/// How HTTP is read from a connection.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(clippy::struct_excessive_bools, reason = "Envoy's message has them")]
pub struct HttpConnectionManager {
    /// Names its statistics.
    pub stat_prefix: String,
    /// HTTP/1.1 and HTTP/2 with prior knowledge.
    pub codec_type: &'static str,
    /// Whether the client's address is the peer's, and `x-forwarded-for` is completed with it.
    pub use_remote_address: bool,
    /// Proxies in front of this one that may be trusted.
    #[serde(skip_serializing_if = "is_default")]
    pub xff_num_trusted_hops: u32,
    /// What becomes of `x-forwarded-client-cert`, which tells services of the client's certificate. `None`: it is taken away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forward_client_cert_details: Option<&'static str>,
    /// What it tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set_current_client_cert_details: Option<ClientCertDetails>,
    /// Resolves `.` and `..`.
    pub normalize_path: bool,
    /// Makes `//` one.
    pub merge_slashes: bool,
    /// What becomes of `%2F` and `%5C`.
    pub path_with_escaped_slashes_action: &'static str,
    /// A request on which nothing happens for so long is given up; zero: never.
    pub stream_idle_timeout: Seconds,
    /// `expect: 100-continue` goes to the service, which says whether it wants the body. Otherwise Envoy always does.
    #[serde(skip_serializing_if = "is_default")]
    pub proxy_100_continue: bool,
    /// Larger request headers get a 431.
    pub max_request_headers_kb: u32,
    /// For HTTP/1 and 2.
    pub common_http_protocol_options: ServerProtocolOptions,
    /// Protocols a connection may turn into.
    pub upgrade_configs: Vec<UpgradeConfig>,
    /// What is changed before a route is looked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub early_header_mutation_extensions: Vec<Extension>,
    /// Where each request is written down.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub access_log: Vec<AccessLog>,
    /// How each request is traced. `None`: not at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracing: Option<Tracing>,
    /// What makes the ids of requests. `None`: Envoy's own, which also say whether a request is traced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id_extension: Option<RequestIdExtension>,
    /// In order; the last is the router.
    pub http_filters: Vec<HttpFilter>,
    /// Where requests go.
    pub route_config: RouteConfiguration,
}

/// `RequestIDExtension`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RequestIdExtension {
    /// What makes them.
    pub typed_config: Any,
}

/// `SetCurrentClientCertDetails`: what is told of a client's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[allow(clippy::struct_excessive_bools, reason = "Envoy's message has them")]
pub struct ClientCertDetails {
    /// Its subject.
    pub subject: bool,
    /// All of it.
    #[serde(skip_serializing_if = "is_default")]
    pub cert: bool,
    /// Its DNS names.
    pub dns: bool,
    /// Its URIs.
    pub uri: bool,
}

/// `HttpProtocolOptions` of a listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServerProtocolOptions {
    /// Names with underscores are as good as others.
    pub headers_with_underscores_action: &'static str,
}

/// A protocol a connection may turn into.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UpgradeConfig {
    /// Its name.
    pub upgrade_type: &'static str,
}

/// A filter, or where to find it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HttpFilter {
    /// Unique in its chain.
    pub name: String,
    /// The filter.
    #[serde(flatten)]
    pub config: HttpFilterConfig,
}

/// The two forms of a filter.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HttpFilterConfig {
    /// In place.
    TypedConfig(Box<Any>),
    /// In a file of its own.
    ConfigDiscovery(ExtensionConfigSource),
}

impl HttpFilter {
    /// A filter in place.
    pub fn new(name: impl Into<String>, typed_config: Any) -> Self {
        Self { name: name.into(), config: HttpFilterConfig::TypedConfig(Box::new(typed_config)) }
    }
}

/// `envoy.extensions.filters.http.health_check.v3.HealthCheck`: answers with 200, and with 503 once the proxy drains.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HealthCheck {
    /// Whether the service is asked too.
    pub pass_through_mode: bool,
    /// Which requests.
    pub headers: Vec<HeaderMatcher>,
}

/// `set_filter_state`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SetFilterState {
    /// When the request's headers are there.
    pub on_request_headers: Vec<FilterStateValue>,
}

/// A value to set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FilterStateValue {
    /// Its name.
    pub object_key: &'static str,
    /// Its type.
    pub factory_key: &'static str,
    /// Its value.
    pub format_string: FormatString,
}

/// `envoy.config.core.v3.SubstitutionFormatString`
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FormatString {
    /// A line of text.
    TextFormatSource(InlineString),
    /// An object.
    JsonFormat(BTreeMap<String, serde_json::Value>),
}

/// Text in place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InlineString {
    /// The text.
    pub inline_string: String,
}

impl FormatString {
    /// A line of text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::TextFormatSource(InlineString { inline_string: text.into() })
    }
}

/// `envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EarlyHeaderMutation {
    /// What is changed before a route is looked for.
    pub mutations: Vec<RequestMutation>,
}

/// A change to a request's headers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestMutation {
    /// This one is put there.
    Append(HeaderValueOption),
    /// The one of this name is taken away.
    Remove(&'static str),
}

/// `envoy.config.core.v3.HeaderValueOption`: a header in place of one of that name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeaderValueOption {
    header: HeaderValue,
    append_action: &'static str,
}

impl HeaderValueOption {
    /// The header.
    pub fn set(key: String, value: String) -> Self {
        Self { header: HeaderValue { key, value }, append_action: "OVERWRITE_IF_EXISTS_OR_ADD" }
    }
}

/// `envoy.config.core.v3.HeaderValue`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeaderValue {
    /// The name.
    pub key: String,
    /// A format string.
    pub value: String,
}

/// `envoy.extensions.filters.http.header_mutation.v3.Mutations`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RequestMutations {
    /// What is changed in requests.
    pub request_mutations: Vec<RequestMutation>,
}

impl RequestMutation {
    /// Puts a header into each request, in place of one of that name.
    pub fn set(name: &str, value: &str) -> Self {
        Self::Append(HeaderValueOption::set(name.to_owned(), value.to_owned()))
    }
}

impl EarlyHeaderMutation {
    /// Puts a header into each request, in place of one of that name.
    pub fn set(name: &str, value: &str) -> Self {
        Self { mutations: vec![RequestMutation::set(name, value)] }
    }

    /// Takes a header away from each request.
    pub fn remove(name: &'static str) -> Self {
        Self { mutations: vec![RequestMutation::Remove(name)] }
    }
}
