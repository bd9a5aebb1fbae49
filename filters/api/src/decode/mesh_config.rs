//! Istio's MeshConfig. Of its many fields those that matter to a single proxy are read; what Istio has and Outrigger
//! does not carry out is named, so that nobody counts on it.

use super::{
    cursor::Cursor, default_providers, http_retry, log_format, object::Object, proxy_tracing,
    telemetry_provider,
};
use crate::{
    check,
    problem::{Severity, code},
    types::{
        mesh_config::{AccessLogEncoding, MeshConfig, OutboundTraffic, PathNormalization, ServiceName},
        provider_name::Providers,
    },
};

/// Fields of MeshConfig that are not carried out.
const MESH: &[&str] = &[
    "ca",
    "caCertificates",
    "certificates",
    "configSources",
    "connectTimeout",
    "defaultDestinationRuleExportTo",
    "defaultInboundHttpRetryPolicy",
    "defaultServiceExportTo",
    "defaultTrafficPolicy",
    "defaultVirtualServiceExportTo",
    "disableEnvoyListenerLog",
    "discoverySelectors",
    "dnsRefreshRate",
    "enableAutoMtls",
    "enableEnvoyAccessLogService",
    "enablePrometheusMerge",
    "h2UpgradePolicy",
    "hboneIdleTimeout",
    "inboundClusterStatName",
    "inboundTrafficPolicy",
    "ingressClass",
    "ingressControllerMode",
    "ingressSelector",
    "ingressService",
    "localityLbSetting",
    "meshMTLS",
    "outboundClusterStatName",
    "protocolDetectionTimeout",
    "proxyHttpPort",
    "proxyInboundListenPort",
    "proxyListenPort",
    "serviceEntryVisibility",
    "serviceScopeConfigs",
    "serviceSettings",
    "tcpKeepalive",
    "thriftConfig",
    "tlsDefaults",
    "verifyCertificateAtClient",
    "zoneAwareLbSetting",
];

/// Fields of ProxyConfig that are not carried out.
const PROXY: &[&str] = &[
    "availabilityZone",
    "binaryPath",
    "caCertificatesPem",
    "concurrency",
    "configPath",
    "connectionSettings",
    "controlPlaneAuthPolicy",
    "customConfigFile",
    "discoveryAddress",
    "discoveryRefreshDelay",
    "envoyAccessLogService",
    "envoyMetricsService",
    "envoyMetricsServiceAddress",
    "extraStatTags",
    "fileFlushInterval",
    "fileFlushMinSizeKb",
    "holdApplicationUntilProxyStarts",
    "image",
    "interceptionMode",
    "parentShutdownDuration",
    "privateKeyProvider",
    "proxyAdminPort",
    "proxyBootstrapTemplatePath",
    "proxyHeaders",
    "proxyMetadata",
    "proxyStatsMatcher",
    "readinessProbe",
    "runtimeValues",
    "sds",
    "statNameLength",
    "statsCompression",
    "statsdUdpAddress",
    "statusPort",
    "terminationDrainDuration",
    "zipkinAddress",
];

pub(crate) fn decode(root: &Cursor<'_>) -> Option<MeshConfig> {
    root.object(|fields| {
        not_carried_out(fields, MESH);
        let (extension_providers, telemetry_providers) = telemetry_provider::decode(fields);
        let default_providers = fields.get("defaultProviders", |field| {
            let providers = Providers { telemetry: &telemetry_providers, authorizing: &extension_providers };
            default_providers::decode(field, providers)
        });
        let access_log_encoding = fields.get("accessLogEncoding", encoding).unwrap_or_default();
        let proxy = fields.get("defaultConfig", proxy_config).unwrap_or_default();
        Some(MeshConfig {
            trust_domain: fields.text("trustDomain"),
            trust_domain_aliases: fields
                .list("trustDomainAliases", |alias| alias.checked(check::names::host)),
            root_namespace: fields.text("rootNamespace"),
            path_normalization: fields.get("pathNormalization", normalization).unwrap_or_default(),
            outbound_traffic: fields.get("outboundTrafficPolicy", outbound_traffic).unwrap_or_default(),
            default_retries: fields.get("defaultHttpRetryPolicy", http_retry::decode),
            access_log_file: fields.text("accessLogFile"),
            access_log_format: fields
                .get("accessLogFormat", |at| log_format::of_mesh(at, access_log_encoding)),
            access_log_encoding,
            extension_providers,
            telemetry_providers,
            default_providers: default_providers.unwrap_or_default(),
            without_tracing: fields.get("enableTracing", |at| at.bool()) == Some(false),
            ..proxy
        })
    })
}

fn not_carried_out(fields: &Object<'_>, names: &[&'static str]) {
    for name in names {
        fields.get(name, |field| {
            let message = format!("`{name}` of the mesh configuration is not carried out yet");
            field.tell(Severity::Warning, code::UNSUPPORTED, &message, None);
            Some(())
        });
    }
}

fn normalization(field: &Cursor<'_>) -> Option<PathNormalization> {
    field.object(|fields| {
        fields.get("normalization", |field| {
            let known = [
                ("DEFAULT", PathNormalization::Base),
                ("NONE", PathNormalization::None),
                ("BASE", PathNormalization::Base),
                ("MERGE_SLASHES", PathNormalization::MergeSlashes),
                ("DECODE_AND_MERGE_SLASHES", PathNormalization::DecodeAndMergeSlashes),
            ];
            field.one_of(&known)
        })
    })
}

fn outbound_traffic(field: &Cursor<'_>) -> Option<OutboundTraffic> {
    field.object(|fields| {
        not_carried_out(fields, &["egressProxy"]);
        fields.get("mode", |field| {
            field.one_of(&[
                ("ALLOW_ANY", OutboundTraffic::AllowAny),
                ("REGISTRY_ONLY", OutboundTraffic::RegistryOnly),
            ])
        })
    })
}

fn encoding(field: &Cursor<'_>) -> Option<AccessLogEncoding> {
    field.one_of(&[("TEXT", AccessLogEncoding::Text), ("JSON", AccessLogEncoding::Json)])
}

/// What ProxyConfig says, and nothing else.
fn proxy_config(field: &Cursor<'_>) -> Option<MeshConfig> {
    field.object(|fields| {
        not_carried_out(fields, PROXY);
        let trusted_proxies = fields.get("gatewayTopology", |field| {
            field.object(|fields| {
                not_carried_out(fields, &["forwardClientCertDetails", "proxyProtocol"]);
                fields.get("numTrustedProxies", |count| count.count())
            })
        });
        Some(MeshConfig {
            trusted_proxies: trusted_proxies.unwrap_or_default(),
            tracing: fields.get("tracing", proxy_tracing::decode).unwrap_or_default(),
            mesh_id: fields.text("meshId"),
            drain_duration: fields.get("drainDuration", |at| at.duration()),
            service_name: service_name(fields),
            ..MeshConfig::default()
        })
    })
}

/// `istio-proxy` is what Istio's installation says of all, and as if left out.
fn service_name(fields: &Object<'_>) -> ServiceName {
    fields.at_most_one(&["serviceCluster", "tracingServiceName"]);
    let scheme = fields.get("tracingServiceName", |field| {
        let scheme = field.one_of(&[
            ("APP_LABEL_AND_NAMESPACE", &ServiceName::AppAndNamespace),
            ("CANONICAL_NAME_ONLY", &ServiceName::Canonical),
            ("CANONICAL_NAME_AND_NAMESPACE", &ServiceName::CanonicalAndNamespace),
        ]);
        scheme.cloned()
    });
    let literal = fields.text("serviceCluster").filter(|name| !name.is_empty() && name != "istio-proxy");
    literal.map(ServiceName::Literal).or(scheme).unwrap_or_default()
}
