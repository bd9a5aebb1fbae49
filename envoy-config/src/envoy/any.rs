//! `google.protobuf.Any`: a message with its type in front.

use serde::Serialize;

use super::access_log::{CommonGrpcLog, FileAccessLog, HttpGrpcLog, OpenTelemetryLog};
use super::cluster::{Cluster, ConsistentHashing, DnsCache, DnsCluster, HttpProtocolOptions, LoadAssignment};
use super::discovery::ExtensionConfig;
use super::ext_authz::{HttpExtAuthz, NetworkExtAuthz};
use super::http::{
    EarlyHeaderMutation, HealthCheck, HttpConnectionManager, RequestMutations, SetFilterState,
};
use super::listener::{Listener, TcpProxy};
use super::rbac::{NetworkRbac, RbacRules};
use super::scalars::{Block, Empty, is_default};
use super::secret::Secret;
use super::tls::{DownstreamTlsContext, UpstreamTlsContext};
use super::tracing::{OpenTelemetryTracer, ZipkinTracer};
use super::wasm::PluginConfig;

/// The types that stand in an `Any`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "@type")]
pub enum Any {
    /// A listener in a discovery file.
    #[serde(rename = "type.googleapis.com/envoy.config.listener.v3.Listener")]
    Listener(Listener),
    /// A cluster in a discovery file.
    #[serde(rename = "type.googleapis.com/envoy.config.cluster.v3.Cluster")]
    Cluster(Box<Cluster>),
    /// A secret in a discovery file.
    #[serde(rename = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret")]
    Secret(Box<Secret>),
    /// TLS with a client.
    #[serde(rename = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext")]
    DownstreamTls(Box<DownstreamTlsContext>),
    /// TLS with a service.
    #[serde(rename = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext")]
    UpstreamTls(Box<UpstreamTlsContext>),
    /// Looks whether a connection begins with TLS, and for which name.
    #[serde(rename = "type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector")]
    TlsInspector {},
    /// The network filter that passes bytes on.
    #[serde(rename = "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy")]
    TcpProxy(Box<TcpProxy>),
    /// The network filter that carries out rules on connections.
    #[serde(rename = "type.googleapis.com/envoy.extensions.filters.network.rbac.v3.RBAC")]
    NetworkRbac(Box<NetworkRbac>),
    /// The network filter that asks a server.
    #[serde(rename = "type.googleapis.com/envoy.extensions.filters.network.ext_authz.v3.ExtAuthz")]
    NetworkExtAuthz(Box<NetworkExtAuthz>),
    /// The HTTP filter that carries out rules on requests.
    #[serde(rename = "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC")]
    HttpRbac(Box<RbacRules>),
    /// Changes headers before a route is looked for.
    #[serde(
        rename = "type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation"
    )]
    EarlyHeaderMutation(EarlyHeaderMutation),
    /// The HTTP filter that asks a server.
    #[serde(rename = "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz")]
    HttpExtAuthz(Box<HttpExtAuthz>),
    /// A template of paths.
    #[serde(
        rename = "type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig"
    )]
    UriTemplate {
        /// With `*` for a segment and `**` for the rest.
        path_template: String,
    },
    /// The HTTP filter that answers health checks.
    #[serde(rename = "type.googleapis.com/envoy.extensions.filters.http.health_check.v3.HealthCheck")]
    HealthCheck(HealthCheck),
    /// A filter's configuration in a discovery file.
    #[serde(rename = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig")]
    ExtensionConfig(Box<ExtensionConfig>),
    /// The network filter that speaks HTTP.
    #[serde(
        rename = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
    )]
    HttpConnectionManager(Box<HttpConnectionManager>),
    /// The last HTTP filter.
    #[serde(rename = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router")]
    Router {},
    /// Makes gRPC of what browsers send.
    #[serde(rename = "type.googleapis.com/envoy.extensions.filters.http.grpc_web.v3.GrpcWeb")]
    GrpcWeb {},
    /// Changes headers.
    #[serde(rename = "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation")]
    HeaderMutation {
        /// How.
        mutations: RequestMutations,
    },
    /// The last filter behind the router.
    #[serde(rename = "type.googleapis.com/envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec")]
    UpstreamCodec {},
    /// Counts the messages of gRPC, and leaves the numbers to other filters.
    #[serde(rename = "type.googleapis.com/envoy.extensions.filters.http.grpc_stats.v3.FilterConfig")]
    GrpcStats {
        /// Leaves the numbers in filter state.
        emit_filter_state: bool,
        /// Has statistics of its own for each method.
        stats_for_all_methods: bool,
    },
    /// A WebAssembly HTTP filter.
    #[serde(rename = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm")]
    Wasm {
        /// The plugin.
        config: Box<PluginConfig>,
    },
    /// What a WebAssembly filter gets as configuration; the only form that reaches it as written.
    #[serde(rename = "type.googleapis.com/google.protobuf.StringValue")]
    StringValue {
        /// The text.
        value: Block,
    },
    /// Puts facts of the connection where the filters read them.
    #[serde(rename = "type.googleapis.com/envoy.extensions.filters.http.set_filter_state.v3.Config")]
    SetFilterState(SetFilterState),
    /// Looks up the name a request asks for.
    #[serde(
        rename = "type.googleapis.com/envoy.extensions.filters.http.dynamic_forward_proxy.v3.FilterConfig"
    )]
    DynamicForwardProxyFilter {
        /// Shared with the cluster.
        dns_cache_config: DnsCache,
    },
    /// The cluster of the names that requests ask for.
    #[serde(rename = "type.googleapis.com/envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig")]
    DynamicForwardProxyCluster {
        /// Shared with the filter.
        dns_cache_config: DnsCache,
        /// TLS may ask for another name than the request's host.
        #[serde(skip_serializing_if = "is_default")]
        allow_insecure_cluster_options: bool,
    },
    /// A cluster whose endpoints are names.
    #[serde(rename = "type.googleapis.com/envoy.extensions.clusters.dns.v3.DnsCluster")]
    DnsCluster(DnsCluster),
    /// A retry goes to a host that was not tried yet.
    #[serde(
        rename = "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
    )]
    PreviousHosts {},
    /// A retry goes to a priority, and so to a locality, that was not tried yet.
    #[serde(
        rename = "type.googleapis.com/envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig"
    )]
    PreviousPriorities {
        /// After so many tries the priorities tried are looked at anew.
        update_frequency: u32,
    },
    /// Endpoints in a discovery file.
    #[serde(rename = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment")]
    LoadAssignment(Box<LoadAssignment>),
    /// Plain text below the protocol.
    #[serde(rename = "type.googleapis.com/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer")]
    RawBuffer {},
    /// A connection begins with who its client is.
    #[serde(
        rename = "type.googleapis.com/envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport"
    )]
    ProxyProtocol {
        /// In which form.
        config: ProxyProtocolConfig,
        /// What comes below the protocol after that.
        transport_socket: Box<Extension>,
    },
    /// The endpoint is the next on a ring from where the hash points.
    #[serde(rename = "type.googleapis.com/envoy.extensions.load_balancing_policies.ring_hash.v3.RingHash")]
    RingHash {
        /// Points of all endpoints together.
        minimum_ring_size: u64,
        /// A locality counts by its weight.
        #[serde(skip_serializing_if = "Option::is_none")]
        locality_weighted_lb_config: Option<Empty>,
        /// What is hashed.
        consistent_hashing_lb_config: ConsistentHashing,
    },
    /// The endpoint stands in a table where the hash points.
    #[serde(rename = "type.googleapis.com/envoy.extensions.load_balancing_policies.maglev.v3.Maglev")]
    Maglev {
        /// Entries, a prime.
        table_size: u64,
        /// A locality counts by its weight.
        #[serde(skip_serializing_if = "Option::is_none")]
        locality_weighted_lb_config: Option<Empty>,
        /// What is hashed.
        consistent_hashing_lb_config: ConsistentHashing,
    },
    /// How a cluster speaks HTTP.
    #[serde(rename = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions")]
    HttpProtocolOptions(HttpProtocolOptions),
    /// An access log.
    #[serde(rename = "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog")]
    FileAccessLog(FileAccessLog),
    /// An access log of requests by Envoy's own service.
    #[serde(rename = "type.googleapis.com/envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig")]
    HttpGrpcLog(Box<HttpGrpcLog>),
    /// The same of connections.
    #[serde(rename = "type.googleapis.com/envoy.extensions.access_loggers.grpc.v3.TcpGrpcAccessLogConfig")]
    TcpGrpcLog {
        /// All of it.
        common_config: Box<CommonGrpcLog>,
    },
    /// An access log by OTLP.
    #[serde(
        rename = "type.googleapis.com/envoy.extensions.access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig"
    )]
    OpenTelemetryLog(Box<OpenTelemetryLog>),
    /// Which requests are logged.
    #[serde(rename = "type.googleapis.com/envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter")]
    CelFilter {
        /// In CEL.
        expression: String,
    },
    /// The operator `%REQ_WITHOUT_QUERY()%`.
    #[serde(rename = "type.googleapis.com/envoy.extensions.formatter.req_without_query.v3.ReqWithoutQuery")]
    ReqWithoutQuery {},
    /// Traces by OTLP.
    #[serde(rename = "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig")]
    OpenTelemetryTracer(Box<OpenTelemetryTracer>),
    /// Traces by Zipkin's API.
    #[serde(rename = "type.googleapis.com/envoy.config.trace.v3.ZipkinConfig")]
    ZipkinTracer(Box<ZipkinTracer>),
    /// Attributes of a proxy from its environment.
    #[serde(
        rename = "type.googleapis.com/envoy.extensions.tracers.opentelemetry.resource_detectors.v3.EnvironmentResourceDetectorConfig"
    )]
    EnvironmentResourceDetector {},
    /// Attributes of a proxy from Dynatrace's files.
    #[serde(
        rename = "type.googleapis.com/envoy.extensions.tracers.opentelemetry.resource_detectors.v3.DynatraceResourceDetectorConfig"
    )]
    DynatraceResourceDetector {},
    /// Ids of requests.
    #[serde(rename = "type.googleapis.com/envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig")]
    UuidRequestId {
        /// The id says whether a request is traced.
        use_request_id_for_trace_sampling: bool,
    },
}

/// `envoy.config.core.v3.ProxyProtocolConfig`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ProxyProtocolConfig {
    /// `V1` or `V2`
    pub version: &'static str,
}

/// A named extension: `envoy.config.core.v3.TypedExtensionConfig`, and network filters, loggers and predicates,
/// which have the same fields.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Extension {
    /// Its name.
    pub name: String,
    /// What it is.
    pub typed_config: Any,
}

impl Extension {
    /// An extension.
    pub fn new(name: impl Into<String>, typed_config: Any) -> Self {
        Self { name: name.into(), typed_config }
    }
}
