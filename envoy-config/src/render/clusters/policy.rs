//! A DestinationRule's traffic policy on a cluster.

use std::time::Duration;

use outrigger_api::Problem;
use outrigger_api::resource::Resource;
use outrigger_api::types::destination_rule::{
    ClientTlsMode, ConnectionPool, H2UpgradePolicy, HashAlgorithm, HttpPool, LoadBalancerPolicy,
    LocalityMode, OutlierDetection, PolicySettings, TcpPool, TrafficPolicy,
};

use super::HTTP_OPTIONS;
use super::balancing::{LARGEST_RING, balancing};
use crate::envoy::Any;
use crate::envoy::cluster::{self, Cluster};
use crate::envoy::cluster::{
    CommonLbConfig, CommonProtocolOptions, ConnectionOptions, ExplicitVersion, Http2Options,
    HttpProtocolOptions, HttpVersion, TcpKeepalive,
};
use crate::envoy::scalars::{Empty, Percent, Seconds};
use crate::render::problems::unsupported;

/// What of `policy`, which stands at `path`, is not carried out.
pub(super) fn check(resource: &Resource, path: &str, policy: &TrafficPolicy) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut refuse = |refused: bool, field: &str, what: &str| {
        if refused {
            problems.push(unsupported(resource, &format!("{path}.{field}"), what));
        }
    };
    refuse(policy.tunnel.is_some(), "tunnel", "`tunnel`");
    refuse(policy.proxy_protocol.is_some(), "proxyProtocol", "`proxyProtocol`");
    refuse(policy.retry_budget.is_some(), "retryBudget", "`retryBudget`");
    let ports = policy.port_level_settings.iter().enumerate();
    let ports = ports.map(|(index, port)| (format!("portLevelSettings[{index}]."), &port.settings));
    for (at, settings) in std::iter::once((String::new(), &policy.settings)).chain(ports) {
        if let Some(tls) = &settings.tls {
            refuse(tls.mode != ClientTlsMode::Disable, &format!("{at}tls.mode"), "TLS to the service");
        }
        if let Some(balancer) = &settings.load_balancer {
            let ring = match &balancer.policy {
                LoadBalancerPolicy::ConsistentHash {
                    algorithm: HashAlgorithm::RingHash { minimum_ring_size },
                    ..
                } => *minimum_ring_size,
                _ => 0,
            };
            let field = format!("{at}loadBalancer.consistentHash");
            refuse(ring > LARGEST_RING, &field, "a ring of more than 8388608 points (Envoy's limit)");
            let passthrough = balancer.policy == LoadBalancerPolicy::Passthrough;
            refuse(passthrough, &format!("{at}loadBalancer.simple"), "`PASSTHROUGH`");
            refuse(balancer.warmup.is_some(), &format!("{at}loadBalancer.warmup"), "`warmup`");
            let locality = balancer.locality.as_ref().is_some_and(|locality| {
                locality.enabled != Some(false) && locality.mode != LocalityMode::Default
            });
            refuse(locality, &format!("{at}loadBalancer.localityLbSetting"), "`localityLbSetting`");
        }
        if let Some(http) = settings.connection_pool.as_ref().and_then(|pool| pool.http.as_ref()) {
            let pings = http.http2_keepalive.is_some();
            refuse(pings, &format!("{at}connectionPool.http.http2KeepAlive"), "`http2KeepAlive`");
        }
        if let Some(outliers) = &settings.outlier_detection {
            let field = format!("{at}outlierDetection.outlierDetectionHttpErrorCodes");
            refuse(!outliers.http_error_codes.is_empty(), &field, "`outlierDetectionHttpErrorCodes`");
        }
    }
    problems
}

/// Applies what [`check`] has let pass. `http2`: the service's port says that it speaks HTTP/2.
pub(super) fn apply(cluster: &mut Cluster, settings: &PolicySettings, http2: bool) {
    cluster.balancing = balancing(settings.load_balancer.as_ref());
    let pool = settings.connection_pool.clone().unwrap_or_default();
    limits(cluster, &pool);
    if let Some(tcp) = &pool.tcp {
        connections(cluster, tcp);
    }
    let options = protocol(&pool, http2);
    let default = HttpProtocolOptions {
        common_http_protocol_options: CommonProtocolOptions::default(),
        version: HttpVersion::ExplicitHttpConfig(ExplicitVersion::HttpProtocolOptions(Empty {})),
    };
    if options != default {
        cluster.typed_extension_protocol_options.insert(HTTP_OPTIONS, Any::HttpProtocolOptions(options));
    }
    if let Some(outliers) = &settings.outlier_detection {
        cluster.outlier_detection = Some(outlier_detection(outliers));
        // Istio turns Envoy's own threshold of 50 % off together with outlier detection.
        let healthy_panic_threshold = Percent { value: outliers.min_health_percent.unwrap_or(0) };
        cluster.common_lb_config = Some(CommonLbConfig { healthy_panic_threshold });
    }
}

/// Zero counts as not set.
fn limits(cluster: &mut Cluster, pool: &ConnectionPool) {
    let tcp = |field: fn(&TcpPool) -> Option<u32>| pool.tcp.as_ref().and_then(field);
    let http = |field: fn(&HttpPool) -> Option<u32>| pool.http.as_ref().and_then(field);
    for limit in &mut cluster.circuit_breakers.thresholds {
        let set = |limit: &mut u32, value: Option<u32>| {
            if let Some(value) = value.filter(|value| *value > 0) {
                *limit = value;
            }
        };
        set(&mut limit.max_connections, tcp(|tcp| tcp.max_connections));
        set(&mut limit.max_pending_requests, http(|http| http.http1_max_pending_requests));
        set(&mut limit.max_requests, http(|http| http.http2_max_requests));
        set(&mut limit.max_retries, http(|http| http.max_retries));
    }
}

fn connections(cluster: &mut Cluster, tcp: &TcpPool) {
    if let Some(timeout) = tcp.connect_timeout {
        cluster.connect_timeout = Seconds(timeout);
    }
    if let Some(keepalive) = &tcp.keepalive {
        let seconds = |duration: Option<Duration>| duration.map(|duration| duration.as_secs());
        cluster.upstream_connection_options = Some(ConnectionOptions {
            tcp_keepalive: TcpKeepalive {
                keepalive_probes: keepalive.probes,
                keepalive_time: seconds(keepalive.time),
                keepalive_interval: seconds(keepalive.interval),
            },
        });
    }
}

fn protocol(pool: &ConnectionPool, http2: bool) -> HttpProtocolOptions {
    let http = pool.http.clone().unwrap_or_default();
    let common_http_protocol_options = CommonProtocolOptions {
        idle_timeout: http.idle_timeout.map(Seconds),
        max_connection_duration: pool.tcp.as_ref().and_then(|tcp| tcp.max_connection_duration).map(Seconds),
        max_requests_per_connection: http.max_requests_per_connection.filter(|requests| *requests > 0),
    };
    let http2_options = Http2Options { max_concurrent_streams: http.max_concurrent_streams };
    let version = if http.use_client_protocol {
        HttpVersion::UseDownstreamProtocolConfig {
            http_protocol_options: Empty {},
            http2_protocol_options: http2_options,
        }
    } else if http2 || http.h2_upgrade_policy == H2UpgradePolicy::Upgrade {
        HttpVersion::ExplicitHttpConfig(ExplicitVersion::Http2ProtocolOptions(http2_options))
    } else {
        HttpVersion::ExplicitHttpConfig(ExplicitVersion::HttpProtocolOptions(Empty {}))
    };
    HttpProtocolOptions { common_http_protocol_options, version }
}

/// Each kind of error that is counted is enforced always, and one with a count of zero never.
fn outlier_detection(outliers: &OutlierDetection) -> cluster::OutlierDetection {
    let enforcing = |count: Option<u32>| count.map(|count| if count > 0 { 100 } else { 0 });
    let count = |count: Option<u32>| count.filter(|count| *count > 0);
    let local =
        outliers.consecutive_local_origin_failures.filter(|_| outliers.split_external_local_origin_errors);
    cluster::OutlierDetection {
        consecutive_5xx: count(outliers.consecutive_5xx_errors),
        enforcing_consecutive_5xx: enforcing(outliers.consecutive_5xx_errors),
        consecutive_gateway_failure: count(outliers.consecutive_gateway_errors),
        enforcing_consecutive_gateway_failure: enforcing(outliers.consecutive_gateway_errors),
        interval: outliers.interval.map(Seconds),
        base_ejection_time: outliers.base_ejection_time.map(Seconds),
        max_ejection_percent: outliers.max_ejection_percent.filter(|percent| *percent > 0),
        enforcing_success_rate: 0,
        split_external_local_origin_errors: outliers.split_external_local_origin_errors,
        consecutive_local_origin_failure: count(local),
        enforcing_consecutive_local_origin_failure: enforcing(local),
    }
}
