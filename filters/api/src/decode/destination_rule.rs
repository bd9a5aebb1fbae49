//! DestinationRule.

use super::{certificates, connection_pool, cursor::Cursor, load_balancer, object::Object};
use crate::{
    check,
    types::{
        common::{ExportTo, Labels},
        destination_rule::{
            DestinationRule, OutlierDetection, PolicySettings, PortTrafficPolicy, ProxyProtocolVersion,
            RetryBudget, Subset, TrafficPolicy, Tunnel, TunnelProtocol,
        },
    },
};

/// Istio's limit.
const MOST_PORTS: usize = 4096;

pub(crate) fn decode(fields: &Object<'_>) -> Option<DestinationRule> {
    let host = fields.required("host", |at| at.host_pattern());
    let traffic_policy = fields.get("trafficPolicy", traffic_policy);
    let subsets = fields.list("subsets", subset);
    let names: Vec<_> = subsets.iter().map(|subset| subset.name.as_str()).collect();
    fields.repeated("subsets", "subset", &names);
    let workload_selector = fields.get("workloadSelector", |selector| selector.selector("matchLabels"));
    let export_to = fields.export_to(false);
    let own_only = match &export_to {
        ExportTo::Default => true,
        ExportTo::Namespaces(namespaces) => {
            namespaces.iter().all(|namespace| namespace == fields.cursor.namespace())
        }
        ExportTo::All | ExportTo::None => false,
    };
    if workload_selector.is_some() && !own_only {
        fields.cursor.error("with `workloadSelector` a rule can only be exported to its own namespace, `.`");
    }
    Some(DestinationRule { host: host?, traffic_policy, subsets, export_to, workload_selector })
}

/// What routes must know of a rule: which host and which clients it is for, and where a consistent hash chooses the
/// endpoint.
pub(crate) fn decode_hashes(fields: &Object<'_>) -> Option<DestinationRule> {
    fields.ignore_rest();
    let host = fields.required("host", |at| at.host_pattern());
    let subsets = fields.list("subsets", |subset| {
        subset.object(|fields| {
            fields.ignore_rest();
            let name = fields.required("name", |name| name.string());
            let traffic_policy = fields.get("trafficPolicy", hash_policy);
            Some(Subset { name: name?, labels: Labels::new(), traffic_policy })
        })
    });
    Some(DestinationRule {
        host: host?,
        traffic_policy: fields.get("trafficPolicy", hash_policy),
        subsets,
        export_to: fields.export_to(false),
        workload_selector: fields.get("workloadSelector", |selector| selector.selector("matchLabels")),
    })
}

fn hash_policy(policy: &Cursor<'_>) -> Option<TrafficPolicy> {
    policy.object(|fields| {
        fields.ignore_rest();
        let port_level_settings = fields.list("portLevelSettings", |policy| {
            policy.object(|fields| {
                fields.ignore_rest();
                let port = fields
                    .required("port", |port| port.object(|fields| fields.required("number", |at| at.port())));
                Some(PortTrafficPolicy { port: port?, settings: hash_settings(fields) })
            })
        });
        Some(TrafficPolicy {
            settings: hash_settings(fields),
            port_level_settings,
            ..TrafficPolicy::default()
        })
    })
}

fn hash_settings(fields: &Object<'_>) -> PolicySettings {
    PolicySettings {
        load_balancer: fields.get("loadBalancer", load_balancer::decode_hash),
        ..PolicySettings::default()
    }
}

fn subset(subset: &Cursor<'_>) -> Option<Subset> {
    subset.object(|fields| {
        let name = fields.required("name", |name| name.checked(check::names::dns_label));
        let labels = fields.get("labels", |at| at.labels()).unwrap_or_default();
        let traffic_policy = fields.get("trafficPolicy", traffic_policy);
        Some(Subset { name: name?, labels, traffic_policy })
    })
}

const SETTINGS: [&str; 4] = ["loadBalancer", "connectionPool", "outlierDetection", "tls"];
const FURTHER: [&str; 4] = ["portLevelSettings", "tunnel", "proxyProtocol", "retryBudget"];

fn traffic_policy(policy: &Cursor<'_>) -> Option<TrafficPolicy> {
    policy.object(|fields| {
        if !SETTINGS.iter().chain(&FURTHER).any(|name| fields.has(name)) {
            policy.error("a traffic policy must not be empty");
        }
        fields.at_most_one(&["tunnel", "proxyProtocol"]);
        let ports = fields.get("portLevelSettings", |field| {
            let ports = field.list(port_policy);
            if ports.len() > MOST_PORTS {
                field.error(format_args!("more than {MOST_PORTS} ports"));
            }
            Some(ports)
        });
        Some(TrafficPolicy {
            settings: settings(fields),
            port_level_settings: ports.unwrap_or_default(),
            tunnel: fields.get("tunnel", tunnel),
            proxy_protocol: fields.get("proxyProtocol", proxy_protocol),
            retry_budget: fields.get("retryBudget", retry_budget),
        })
    })
}

fn port_policy(policy: &Cursor<'_>) -> Option<PortTrafficPolicy> {
    policy.object(|fields| {
        let port =
            fields.required("port", |port| port.object(|fields| fields.required("number", |at| at.port())));
        let settings = settings(fields);
        if !SETTINGS.iter().any(|name| fields.has(name)) {
            policy.error("a port's traffic policy must not be empty");
        }
        Some(PortTrafficPolicy { port: port?, settings })
    })
}

fn settings(fields: &Object<'_>) -> PolicySettings {
    let outlier_detection = fields.get("outlierDetection", outlier_detection);
    PolicySettings {
        load_balancer: fields
            .get("loadBalancer", |field| load_balancer::decode(field, outlier_detection.is_some())),
        connection_pool: fields.get("connectionPool", connection_pool::decode),
        tls: fields.get("tls", certificates::client),
        outlier_detection,
    }
}

fn outlier_detection(outlier: &Cursor<'_>) -> Option<OutlierDetection> {
    outlier.object(|fields| {
        let old = fields.get("consecutiveErrors", |field| {
            field.deprecated("consecutiveErrors", "`consecutive5xxErrors` or `consecutiveGatewayErrors`");
            field.count()
        });
        let percent = |name| fields.get(name, |field| field.within(0, 100));
        let detection = OutlierDetection {
            consecutive_5xx_errors: fields.get("consecutive5xxErrors", |at| at.unsigned()),
            consecutive_gateway_errors: fields.get("consecutiveGatewayErrors", |at| at.unsigned()).or(old),
            split_external_local_origin_errors: fields.flag("splitExternalLocalOriginErrors"),
            consecutive_local_origin_failures: fields
                .get("consecutiveLocalOriginFailures", |at| at.unsigned()),
            interval: fields.get("interval", |at| at.duration()),
            base_ejection_time: fields.get("baseEjectionTime", |at| at.duration()),
            max_ejection_percent: percent("maxEjectionPercent"),
            min_health_percent: percent("minHealthPercent"),
            http_error_codes: fields.list("outlierDetectionHttpErrorCodes", |code| code.within(100, 599)),
        };
        if detection.consecutive_local_origin_failures.is_some_and(|count| count > 0)
            && !detection.split_external_local_origin_errors
        {
            outlier.error("`consecutiveLocalOriginFailures` needs `splitExternalLocalOriginErrors: true`");
        }
        Some(detection)
    })
}

fn tunnel(tunnel: &Cursor<'_>) -> Option<Tunnel> {
    tunnel.object(|fields| {
        let protocol = fields.get("protocol", |protocol| {
            protocol.one_of(&[
                ("", TunnelProtocol::Connect),
                ("CONNECT", TunnelProtocol::Connect),
                ("POST", TunnelProtocol::Post),
            ])
        });
        let target_host = fields.required("targetHost", |host| host.checked(check::names::host_or_ip));
        let target_port = fields.required("targetPort", |at| at.port());
        Some(Tunnel {
            protocol: protocol.unwrap_or_default(),
            target_host: target_host?,
            target_port: target_port?,
        })
    })
}

fn proxy_protocol(settings: &Cursor<'_>) -> Option<ProxyProtocolVersion> {
    settings.object(|fields| {
        let version = fields.get("version", |version| {
            version.one_of(&[("V1", ProxyProtocolVersion::V1), ("V2", ProxyProtocolVersion::V2)])
        });
        Some(version.unwrap_or_default())
    })
}

fn retry_budget(budget: &Cursor<'_>) -> Option<RetryBudget> {
    budget.object(|fields| {
        let percent = fields
            .get("percent", |percent| percent.object(|fields| fields.get("value", |at| at.percentage())));
        Some(RetryBudget {
            percent: percent.unwrap_or(20.0),
            min_retry_concurrency: fields.get("minRetryConcurrency", |at| at.unsigned()).unwrap_or(3),
            budget_interval: fields
                .get("budgetInterval", |at| at.duration_or_zero())
                .filter(|interval| !interval.is_zero()),
        })
    })
}
