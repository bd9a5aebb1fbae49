//! Istio's MeshConfig. Of its many fields those that matter to a single proxy are read; what Istio has and Outrigger
//! does not carry out is named, so that nobody counts on it.

use super::{cursor::Cursor, extension_provider, http_retry, object::Object};
use crate::{
    check,
    problem::{Severity, code},
    types::mesh_config::{AccessLogEncoding, MeshConfig, OutboundTraffic, PathNormalization},
};

/// Fields of MeshConfig that are not carried out.
const MESH: &[&str] = &[
    "ca",
    "caCertificates",
    "certificates",
    "configSources",
    "connectTimeout",
    "defaultDestinationRuleExportTo",
    "defaultProviders",
    "defaultServiceExportTo",
    "defaultVirtualServiceExportTo",
    "disableEnvoyListenerLog",
    "discoverySelectors",
    "dnsRefreshRate",
    "enableAutoMtls",
    "enableEnvoyAccessLogService",
    "enablePrometheusMerge",
    "enableTracing",
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
    "serviceScopeConfigs",
    "serviceSettings",
    "tcpKeepalive",
    "thriftConfig",
    "tlsDefaults",
    "verifyCertificateAtClient",
];

/// Fields of ProxyConfig that are not carried out.
const PROXY: &[&str] = &[
    "availabilityZone",
    "binaryPath",
    "caCertificatesPem",
    "concurrency",
    "configPath",
    "controlPlaneAuthPolicy",
    "customConfigFile",
    "discoveryAddress",
    "drainDuration",
    "envoyAccessLogService",
    "envoyMetricsService",
    "extraStatTags",
    "fileFlushInterval",
    "fileFlushMinSizeKb",
    "holdApplicationUntilProxyStarts",
    "image",
    "interceptionMode",
    "meshId",
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
    "serviceCluster",
    "statNameLength",
    "statsCompression",
    "statsdUdpAddress",
    "statusPort",
    "terminationDrainDuration",
    "tracing",
    "zipkinAddress",
];

pub(crate) fn decode(root: &Cursor<'_>) -> Option<MeshConfig> {
    root.object(|fields| {
        not_carried_out(fields, MESH);
        Some(MeshConfig {
            trust_domain: fields.text("trustDomain"),
            trust_domain_aliases: fields
                .list("trustDomainAliases", |alias| alias.checked(check::names::host)),
            root_namespace: fields.text("rootNamespace"),
            path_normalization: fields.get("pathNormalization", normalization).unwrap_or_default(),
            outbound_traffic: fields.get("outboundTrafficPolicy", outbound_traffic).unwrap_or_default(),
            default_retries: fields.get("defaultHttpRetryPolicy", http_retry::decode),
            access_log_file: fields.text("accessLogFile"),
            access_log_format: fields.text("accessLogFormat"),
            access_log_encoding: fields.get("accessLogEncoding", encoding).unwrap_or_default(),
            trusted_proxies: fields.get("defaultConfig", proxy_config).unwrap_or_default(),
            extension_providers: extension_provider::decode(fields),
        })
    })
}

fn not_carried_out(fields: &Object<'_>, names: &[&'static str]) {
    for name in names {
        fields.get(name, |field| {
            let message = format!("`{name}` of the mesh configuration is not carried out yet");
            field.report(Severity::Warning, code::UNSUPPORTED, message, None);
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

fn proxy_config(field: &Cursor<'_>) -> Option<u32> {
    field.object(|fields| {
        not_carried_out(fields, PROXY);
        fields.get("gatewayTopology", |field| {
            field.object(|fields| {
                not_carried_out(fields, &["forwardClientCertDetails", "proxyProtocol"]);
                fields.get("numTrustedProxies", |count| count.count())
            })
        })
    })
}
