//! `envoy.extensions.upstreams.http.v3.HttpProtocolOptions`: how a cluster speaks HTTP.

use serde::Serialize;

use super::super::http::HttpFilter;
use super::super::route::HeaderMatcher;
use super::super::scalars::{Empty, Seconds, is_default};

/// `envoy.extensions.upstreams.http.v3.HttpProtocolOptions`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HttpProtocolOptions {
    /// For any version.
    #[serde(skip_serializing_if = "is_default")]
    pub common_http_protocol_options: CommonProtocolOptions,
    /// What is asked for by TLS.
    #[serde(skip_serializing_if = "is_default")]
    pub upstream_http_protocol_options: UpstreamProtocolOptions,
    /// Which version.
    #[serde(flatten)]
    pub version: HttpVersion,
    /// Which answers count as errors for outlier detection. `None`: those of 5xx.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outlier_detection: Option<OutlierErrors>,
    /// Filters behind the router; empty: only the codec.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub http_filters: Vec<HttpFilter>,
}

impl HttpProtocolOptions {
    /// This version of HTTP, and nothing else said.
    pub fn of(version: HttpVersion) -> Self {
        Self {
            common_http_protocol_options: CommonProtocolOptions::default(),
            upstream_http_protocol_options: UpstreamProtocolOptions::default(),
            version,
            outlier_detection: None,
            http_filters: Vec::new(),
        }
    }
}

/// `UpstreamHttpProtocolOptions`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct UpstreamProtocolOptions {
    /// TLS asks for the host of the request.
    #[serde(skip_serializing_if = "is_default")]
    pub auto_sni: bool,
    /// The certificate has to be for the host of the request.
    #[serde(skip_serializing_if = "is_default")]
    pub auto_san_validation: bool,
}

/// `HttpProtocolOptions.OutlierDetection`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OutlierErrors {
    /// What such an answer looks like.
    pub error_matcher: MatchPredicate,
}

/// `envoy.config.common.matcher.v3.MatchPredicate`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchPredicate {
    /// One of these; at least two.
    OrMatch {
        /// They.
        rules: Vec<MatchPredicate>,
    },
    /// The answer has these headers.
    HttpResponseHeadersMatch {
        /// They.
        headers: Vec<HeaderMatcher>,
    },
}

/// For any version of HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct CommonProtocolOptions {
    /// An idle connection is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_timeout: Option<Seconds>,
    /// A connection is not kept for longer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_connection_duration: Option<Seconds>,
    /// A connection is closed after so many requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_requests_per_connection: Option<u32>,
}

/// Which version of HTTP is spoken.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HttpVersion {
    /// Always this one.
    ExplicitHttpConfig(ExplicitVersion),
    /// The one that the client spoke.
    UseDownstreamProtocolConfig {
        /// Its options.
        http_protocol_options: Empty,
        /// Its options.
        http2_protocol_options: Http2Options,
    },
}

/// One version of HTTP.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ExplicitVersion {
    /// HTTP/1.1
    HttpProtocolOptions(Empty),
    /// HTTP/2
    Http2ProtocolOptions(Http2Options),
}

/// Options of HTTP/2.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Http2Options {
    /// Streams of one connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_concurrent_streams: Option<u32>,
    /// Pings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_keepalive: Option<KeepaliveSettings>,
}

/// `envoy.config.core.v3.KeepaliveSettings`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct KeepaliveSettings {
    /// Between pings.
    pub interval: Seconds,
    /// Until an answer must be there.
    pub timeout: Seconds,
}
