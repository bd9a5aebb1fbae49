//! A DestinationRule's `connectionPool` and `retryBudget`: limits, and how HTTP is spoken.

use std::time::Duration;

use outrigger_api::types::destination_rule::{
    ConnectionPool, H2UpgradePolicy, HttpPool, RetryBudget, TcpPool,
};

use crate::envoy::cluster::{
    self, Cluster, CommonProtocolOptions, ConnectionOptions, ExplicitVersion, Http2Options, HttpVersion,
    KeepaliveSettings, TcpKeepalive,
};
use crate::envoy::scalars::{Empty, Percent, Seconds};

/// The limits, and what is set for single connections. Zero counts as not set.
pub(super) fn apply(cluster: &mut Cluster, pool: &ConnectionPool, budget: Option<RetryBudget>) {
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
        limit.retry_budget = budget.map(|budget| cluster::RetryBudget {
            budget_percent: Percent { value: budget.percent },
            budget_interval: budget.budget_interval.map(Seconds),
            min_retry_concurrency: if budget.min_retry_concurrency == 0 {
                3
            } else {
                budget.min_retry_concurrency
            },
        });
    }
    if let Some(tcp) = &pool.tcp {
        connections(cluster, tcp);
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
                // By zero Envoy would send none at all.
                keepalive_probes: keepalive.probes.filter(|probes| *probes > 0),
                keepalive_time: seconds(keepalive.time),
                keepalive_interval: seconds(keepalive.interval),
            },
        });
    }
}

/// For any version of HTTP. The idle time of TCP counts where HTTP has none.
pub(super) fn common(pool: &ConnectionPool) -> CommonProtocolOptions {
    let (http, tcp) = (pool.http.as_ref(), pool.tcp.as_ref());
    let idle = http.and_then(|http| http.idle_timeout).or(tcp.and_then(|tcp| tcp.idle_timeout));
    let requests = http.and_then(|http| http.max_requests_per_connection);
    CommonProtocolOptions {
        idle_timeout: idle.map(Seconds),
        max_connection_duration: tcp.and_then(|tcp| tcp.max_connection_duration).map(Seconds),
        max_requests_per_connection: requests.filter(|requests| *requests > 0),
    }
}

/// Which version of HTTP is spoken. `http2`: the service's port says that it speaks HTTP/2.
pub(super) fn version(pool: &ConnectionPool, http2: bool) -> HttpVersion {
    let http = pool.http.clone().unwrap_or_default();
    let http2_options = Http2Options {
        max_concurrent_streams: http.max_concurrent_streams.filter(|streams| *streams > 0),
        connection_keepalive: http.http2_keepalive.map(|pings| KeepaliveSettings {
            interval: Seconds(pings.interval),
            timeout: Seconds(pings.timeout),
        }),
    };
    if http.use_client_protocol {
        HttpVersion::UseDownstreamProtocolConfig {
            http_protocol_options: Empty {},
            http2_protocol_options: http2_options,
        }
    } else if http2 || http.h2_upgrade_policy == H2UpgradePolicy::Upgrade {
        HttpVersion::ExplicitHttpConfig(ExplicitVersion::Http2ProtocolOptions(http2_options))
    } else {
        HttpVersion::ExplicitHttpConfig(ExplicitVersion::HttpProtocolOptions(Empty {}))
    }
}

/// Whether HTTP/2 is spoken whatever the client speaks.
pub(super) fn is_http2(version: &HttpVersion) -> bool {
    matches!(version, HttpVersion::ExplicitHttpConfig(ExplicitVersion::Http2ProtocolOptions(_)))
}
