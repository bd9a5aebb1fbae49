//! Limits of connections.

use super::cursor::Cursor;
use crate::types::destination_rule::{
    ConnectionPool, H2UpgradePolicy, Http2Keepalive, HttpPool, TcpKeepalive, TcpPool,
};

pub(crate) fn decode(pool: &Cursor<'_>) -> Option<ConnectionPool> {
    pool.object(|fields| {
        if !fields.has("tcp") && !fields.has("http") {
            pool.error("missing `tcp` or `http`: one of them is needed");
        }
        Some(ConnectionPool { tcp: fields.get("tcp", tcp), http: fields.get("http", http) })
    })
}

fn tcp(pool: &Cursor<'_>) -> Option<TcpPool> {
    pool.object(|fields| {
        Some(TcpPool {
            max_connections: fields.get("maxConnections", |at| at.count()),
            connect_timeout: fields.get("connectTimeout", |at| at.duration()),
            keepalive: fields.get("tcpKeepalive", |keepalive| {
                keepalive.object(|fields| {
                    Some(TcpKeepalive {
                        probes: fields.get("probes", |at| at.unsigned()),
                        time: fields.get("time", |at| at.duration()),
                        interval: fields.get("interval", |at| at.duration()),
                    })
                })
            }),
            max_connection_duration: fields.get("maxConnectionDuration", |at| at.duration()),
            idle_timeout: fields.get("idleTimeout", |at| at.duration_or_zero()),
        })
    })
}

fn http(pool: &Cursor<'_>) -> Option<HttpPool> {
    pool.object(|fields| {
        let settings = HttpPool {
            http1_max_pending_requests: fields.get("http1MaxPendingRequests", |at| at.count()),
            http2_max_requests: fields.get("http2MaxRequests", |at| at.count()),
            max_requests_per_connection: fields.get("maxRequestsPerConnection", |at| at.count()),
            max_retries: fields.get("maxRetries", |at| at.count()),
            idle_timeout: fields.get("idleTimeout", |at| at.duration()),
            h2_upgrade_policy: fields
                .get("h2UpgradePolicy", |policy| {
                    policy.one_of(&[
                        ("DEFAULT", H2UpgradePolicy::Default),
                        ("DO_NOT_UPGRADE", H2UpgradePolicy::DoNotUpgrade),
                        ("UPGRADE", H2UpgradePolicy::Upgrade),
                    ])
                })
                .unwrap_or_default(),
            use_client_protocol: fields.flag("useClientProtocol"),
            max_concurrent_streams: fields.get("maxConcurrentStreams", |at| at.count()),
            http2_keepalive: fields.get("http2KeepAlive", http2_keepalive),
        };
        if settings.use_client_protocol && settings.h2_upgrade_policy == H2UpgradePolicy::Upgrade {
            pool.error("`useClientProtocol` can't be given with `h2UpgradePolicy: UPGRADE`");
        }
        Some(settings)
    })
}

fn http2_keepalive(keepalive: &Cursor<'_>) -> Option<Http2Keepalive> {
    keepalive.object(|fields| {
        let interval = fields.required("interval", |at| at.duration());
        let timeout = fields.required("timeout", |at| at.duration());
        Some(Http2Keepalive { interval: interval?, timeout: timeout? })
    })
}
