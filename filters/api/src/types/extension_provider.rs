//! MeshConfig's `extensionProviders`: servers that AuthorizationPolicies with `action: CUSTOM` name.

use std::{fmt, time::Duration};

use serde_json::{Map, Value, json};

use super::authorization_policy::ValuePattern;

/// A server that authorizes requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtensionProvider {
    /// `name`: lower-case letters, digits and inner hyphens, at most 63.
    pub name: String,
    /// How it is asked.
    pub kind: ProviderKind,
}

/// The kinds of servers that are asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProviderKind {
    /// `envoyExtAuthzHttp`: by HTTP.
    ExtAuthzHttp(Box<ExtAuthzHttp>),
    /// `envoyExtAuthzGrpc`: by gRPC (`envoy.service.auth.v3.Authorization`), also about TCP connections.
    ExtAuthzGrpc(Check),
}

/// What both kinds have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// `service`: where the server is.
    pub service: ServiceName,
    /// `port`
    pub port: u16,
    /// `timeout`: of one answer; 600 s if left out.
    pub timeout: Duration,
    /// `failOpen`: requests pass if the server can't be asked, or fails (HTTP 5xx).
    pub fail_open: bool,
    /// `clearRouteCache`: a route is looked for again after the server has changed the headers of a request.
    pub clear_route_cache: bool,
    /// `statusOnError`: the HTTP status if the server can't be asked, or fails; 403 if left out.
    pub status_on_error: u16,
    /// `includeRequestBodyInCheck`: the server gets the body of the request too.
    pub request_body: Option<RequestBody>,
}

/// `[namespace/]host`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceName {
    /// The namespace of the service that is meant, should there be one of this host in several.
    pub namespace: Option<String>,
    /// A full host name, or an IP address.
    pub host: String,
}

/// How much of a request's body a server gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestBody {
    /// `maxRequestBytes`, from 1 on. A longer body is answered with 413, whatever `failOpen` says.
    pub max_bytes: u32,
    /// `allowPartialMessage`: only so much of a longer body is sent, instead of the 413.
    pub allow_partial: bool,
    /// `packAsBytes`: of gRPC; the body is sent as bytes, not as UTF-8.
    pub pack_as_bytes: bool,
}

/// What is asked, and answered, by HTTP only. Names of headers are compared without regard to case, and none is
/// [`ValuePattern::Any`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtAuthzHttp {
    /// What gRPC has, too.
    pub check: Check,
    /// `pathPrefix`, which begins with `/`: is put in front of the request's path; empty if left out.
    pub path_prefix: String,
    /// `includeRequestHeadersInCheck`: these headers of the request are sent, with `Host`, `Method`, `Path`,
    /// `Content-Length` and `Authorization`.
    pub request_headers: Vec<ValuePattern>,
    /// `includeAdditionalHeadersInCheck`, sorted by name: these headers are sent, and win. Envoy's format strings.
    pub additional_headers: Vec<(String, String)>,
    /// `headersToUpstreamOnAllow`: these headers of the answer replace those of the request; none if left out.
    pub to_upstream_on_allow: Vec<ValuePattern>,
    /// `headersToDownstreamOnDeny`: these headers of a refusal reach the client; empty: all but `Host`.
    pub to_downstream_on_deny: Vec<ValuePattern>,
    /// `headersToDownstreamOnAllow`: these headers of the answer reach the client with the response; none if left out.
    pub to_downstream_on_allow: Vec<ValuePattern>,
}

impl ExtensionProvider {
    /// What both kinds have.
    pub fn check(&self) -> &Check {
        match &self.kind {
            ProviderKind::ExtAuthzHttp(http) => &http.check,
            ProviderKind::ExtAuthzGrpc(check) => check,
        }
    }

    /// The provider as JSON, as MeshConfig has it.
    pub fn to_json(&self) -> Value {
        match &self.kind {
            ProviderKind::ExtAuthzHttp(http) => {
                json!({ "name": self.name, "envoyExtAuthzHttp": http.to_json() })
            }
            ProviderKind::ExtAuthzGrpc(check) => {
                json!({ "name": self.name, "envoyExtAuthzGrpc": check.fields() })
            }
        }
    }
}

impl ExtAuthzHttp {
    fn to_json(&self) -> Value {
        let mut fields = self.check.fields();
        let additional: Map<_, _> =
            self.additional_headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        let optional = [
            ("pathPrefix", json!(self.path_prefix), self.path_prefix.is_empty()),
            (
                "includeAdditionalHeadersInCheck",
                Value::Object(additional),
                self.additional_headers.is_empty(),
            ),
        ];
        let lists = [
            ("includeRequestHeadersInCheck", &self.request_headers),
            ("headersToUpstreamOnAllow", &self.to_upstream_on_allow),
            ("headersToDownstreamOnDeny", &self.to_downstream_on_deny),
            ("headersToDownstreamOnAllow", &self.to_downstream_on_allow),
        ]
        .map(|(name, patterns)| {
            let patterns: Vec<_> = patterns.iter().map(ValuePattern::to_string).collect();
            (name, json!(patterns), patterns.is_empty())
        });
        let given = optional.into_iter().chain(lists).filter(|(_, _, empty)| !empty);
        fields.extend(given.map(|(name, value, _)| (name.to_owned(), value)));
        Value::Object(fields)
    }
}

impl Check {
    /// `timeout` if left out: Istio's ten minutes, where Envoy's own default is 200 ms.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);
    /// `statusOnError` if left out.
    pub const DEFAULT_STATUS: u16 = 403;

    fn fields(&self) -> Map<String, Value> {
        let timeout = format!("{}.{:09}s", self.timeout.as_secs(), self.timeout.subsec_nanos());
        let body = self.request_body.map(|body| {
            json!({
                "maxRequestBytes": body.max_bytes,
                "allowPartialMessage": body.allow_partial,
                "packAsBytes": body.pack_as_bytes,
            })
        });
        let fields = [
            ("service", Some(json!(self.service.to_string()))),
            ("port", Some(json!(self.port))),
            ("timeout", Some(json!(timeout))),
            ("failOpen", self.fail_open.then_some(Value::Bool(true))),
            ("clearRouteCache", self.clear_route_cache.then_some(Value::Bool(true))),
            ("statusOnError", Some(json!(self.status_on_error.to_string()))),
            ("includeRequestBodyInCheck", body),
        ];
        fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(formatter, "{namespace}/{}", self.host),
            None => formatter.write_str(&self.host),
        }
    }
}
