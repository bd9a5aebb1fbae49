//! Istio's MeshConfig. Of its many fields those that matter to a single proxy are read; what Istio has and Outrigger
//! does not carry out is named, so that nobody counts on it.

use super::{
    cursor::{Cursor, shorten},
    http_retry,
    object::Object,
    proxy_tracing, telemetry_provider,
};
use crate::{
    check,
    problem::{Severity, code},
    types::mesh_config::{
        AccessLogEncoding, DefaultProviders, MeshConfig, OutboundTraffic, PathNormalization,
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
    "defaultServiceExportTo",
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
    "zipkinAddress",
];

pub(crate) fn decode(root: &Cursor<'_>) -> Option<MeshConfig> {
    root.object(|fields| {
        not_carried_out(fields, MESH);
        let (extension_providers, telemetry_providers) = telemetry_provider::decode(fields);
        let mut names: Vec<_> = BUILT_IN.to_vec();
        names.extend(extension_providers.iter().map(|provider| provider.name.as_str()));
        names.extend(telemetry_providers.iter().map(|provider| provider.name.as_str()));
        let default_providers = fields.get("defaultProviders", |field| default_providers(field, &names));
        let default_providers = default_providers.unwrap_or_default();
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
            access_log_format: fields.get("accessLogFormat", |at| log_format(at, access_log_encoding)),
            access_log_encoding,
            extension_providers,
            telemetry_providers,
            default_providers,
            without_tracing: fields.get("enableTracing", |at| at.bool()) == Some(false),
            ..proxy
        })
    })
}

/// With `JSON` it has to be an object.
fn log_format(at: &Cursor<'_>, encoding: AccessLogEncoding) -> Option<String> {
    let format = at.string().filter(|format| !format.is_empty())?;
    let object = || serde_json::from_str::<serde_json::Map<_, _>>(&format);
    match encoding {
        AccessLogEncoding::Json => match object() {
            Ok(_) => Some(format),
            Err(error) => {
                at.error_hint(
                    format_args!("is not an object of JSON: {error}"),
                    "`accessLogEncoding` is `JSON`: write `{\"key\": \"%OPERATOR%\"}`",
                );
                None
            }
        },
        AccessLogEncoding::Text => Some(format),
    }
}

/// Providers that every mesh has.
const BUILT_IN: [&str; 3] = ["envoy", "prometheus", "stackdriver"];

/// Istio takes any names, and does nothing with those that it does not know.
fn default_providers(field: &Cursor<'_>, known: &[&str]) -> Option<DefaultProviders> {
    field.object(|fields| {
        let name = |at: &Cursor<'_>| {
            let name = at.non_empty()?;
            if !known.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
                let hint = format!("there is `{}`", known.join("`, `"));
                at.warn_hint(format_args!("no extension provider is called `{}`", shorten(&name)), hint);
            }
            Some(name)
        };
        let names = |field| fields.list(field, name);
        Some(DefaultProviders {
            tracing: names("tracing"),
            metrics: names("metrics"),
            access_logging: names("accessLogging"),
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
            ..MeshConfig::default()
        })
    })
}
