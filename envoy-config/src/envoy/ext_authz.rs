//! The filters that ask a server whether a request, or a connection, may pass.

use serde::Serialize;

use super::grpc::{GrpcService, HttpUri};
use super::http::HeaderValue;
use super::matcher::{ListStringMatcher, MetadataMatcher};
use super::scalars::is_default;

/// `envoy.extensions.filters.http.ext_authz.v3.ExtAuthz`
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(clippy::struct_excessive_bools, reason = "Envoy's message has them")]
pub struct HttpExtAuthz {
    /// How the server is asked.
    #[serde(flatten)]
    pub service: AuthzService,
    /// `V3`
    pub transport_api_version: &'static str,
    /// Requests pass if the server can't be asked, or fails.
    #[serde(skip_serializing_if = "is_default")]
    pub failure_mode_allow: bool,
    /// The status if they don't.
    pub status_on_error: HttpStatus,
    /// A route is looked for again when headers have changed.
    #[serde(skip_serializing_if = "is_default")]
    pub clear_route_cache: bool,
    /// The body is sent, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub with_request_body: Option<BufferSettings>,
    /// Headers of the request that are sent. `None`: to gRPC all, to HTTP those that it needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_headers: Option<ListStringMatcher>,
    /// And which are not, whatever that says.
    pub disallowed_headers: ListStringMatcher,
    /// Other requests pass unasked.
    pub filter_enabled_metadata: MetadataMatcher,
    /// The server is asked, and every request passes.
    #[serde(skip_serializing_if = "is_default")]
    pub shadow_mode: bool,
    /// What the answer may change of requests. `None`: anything but what is about the connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decoder_header_mutation_rules: Option<HeaderMutationRules>,
    /// In front of its statistics.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub stat_prefix: &'static str,
}

/// `envoy.config.common.mutation_rules.v3.HeaderMutationRules`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct HeaderMutationRules {
    /// Nothing is changed.
    pub disallow_all: bool,
}

/// `envoy.extensions.filters.network.ext_authz.v3.ExtAuthz`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NetworkExtAuthz {
    /// In front of its statistics.
    pub stat_prefix: &'static str,
    /// How the server is asked.
    pub grpc_service: GrpcService,
    /// `V3`
    pub transport_api_version: &'static str,
    /// Connections pass if the server can't be asked.
    #[serde(skip_serializing_if = "is_default")]
    pub failure_mode_allow: bool,
    /// Other connections pass unasked.
    pub filter_enabled_metadata: MetadataMatcher,
    /// The server is asked, and every connection passes.
    #[serde(skip_serializing_if = "is_default")]
    pub shadow_mode: bool,
}

/// How a server is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthzService {
    /// By gRPC.
    GrpcService(GrpcService),
    /// By HTTP.
    HttpService(Box<HttpService>),
}

/// `HttpService`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HttpService {
    /// Where.
    pub server_uri: HttpUri,
    /// Stands in front of the path.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path_prefix: String,
    /// What is sent besides.
    #[serde(skip_serializing_if = "is_default")]
    pub authorization_request: AuthorizationRequest,
    /// What is taken over from the answer.
    #[serde(skip_serializing_if = "is_default")]
    pub authorization_response: AuthorizationResponse,
}

/// `AuthorizationRequest`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct AuthorizationRequest {
    /// In place of headers of the same name.
    pub headers_to_add: Vec<HeaderValue>,
}

/// `AuthorizationResponse`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct AuthorizationResponse {
    /// Headers of an allowing answer that replace those of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_upstream_headers: Option<ListStringMatcher>,
    /// Headers of a refusing answer that the client gets. `None`: all but those of the connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_client_headers: Option<ListStringMatcher>,
    /// Headers of an allowing answer that the client gets with the response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_client_headers_on_success: Option<ListStringMatcher>,
}

/// `BufferSettings`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct BufferSettings {
    /// A longer body is answered with 413.
    pub max_request_bytes: u32,
    /// Or cut off.
    #[serde(skip_serializing_if = "is_default")]
    pub allow_partial_message: bool,
    /// To gRPC as bytes, not as text.
    #[serde(skip_serializing_if = "is_default")]
    pub pack_as_bytes: bool,
}

/// `envoy.type.v3.HttpStatus`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct HttpStatus {
    /// A number also stands for its name.
    pub code: u16,
}
