//! Health checks that Envoy answers, for itself and, by asking it, for its application: what kubelet or a container engine
//! asks has no certificate of the mesh, and no policy is about it.

use super::clusters;
use super::options::AppProbe;
use super::routes;
use crate::envoy::Any;
use crate::envoy::any::Extension;
use crate::envoy::cluster::Cluster;
use crate::envoy::http::{HealthCheck, HttpConnectionManager, HttpFilter, ServerProtocolOptions};
use crate::envoy::route::{
    Action, ClusterSpecifier, HeaderMatch, HeaderMatcher, Route, RouteAction, RouteConfiguration, RouteMatch,
    VirtualHost,
};
use crate::envoy::scalars::{Address, Seconds, StringMatcher};

/// 200 while the proxy serves, 503 once it drains.
const READY: &str = "/healthz/ready";
/// In front of the application's own paths.
const APPLICATION: &str = "/app-health/";
/// An application that takes longer is not well.
const PATIENCE: Seconds = Seconds::new(10);

/// The network filter that answers.
pub(super) fn filter(probes: &[AppProbe]) -> Extension {
    let ready = HealthCheck { pass_through_mode: false, headers: vec![path_is(READY.to_owned())] };
    let manager = HttpConnectionManager {
        stat_prefix: "probes".to_owned(),
        codec_type: "AUTO",
        use_remote_address: false,
        xff_num_trusted_hops: 0,
        normalize_path: true,
        merge_slashes: false,
        path_with_escaped_slashes_action: "KEEP_UNCHANGED",
        stream_idle_timeout: PATIENCE,
        proxy_100_continue: false,
        max_request_headers_kb: 60,
        common_http_protocol_options: ServerProtocolOptions { headers_with_underscores_action: "ALLOW" },
        upgrade_configs: Vec::new(),
        forward_client_cert_details: None,
        set_current_client_cert_details: None,
        early_header_mutation_extensions: Vec::new(),
        access_log: Vec::new(),
        tracing: None,
        request_id_extension: None,
        http_filters: vec![
            HttpFilter::new("envoy.filters.http.health_check", Any::HealthCheck(ready)),
            HttpFilter::new("envoy.filters.http.router", Any::Router {}),
        ],
        route_config: RouteConfiguration {
            name: "probes".to_owned(),
            validate_clusters: false,
            ignore_port_in_host_matching: false,
            virtual_hosts: vec![VirtualHost {
                name: "any".to_owned(),
                domains: vec!["*".to_owned()],
                require_tls: None,
                include_request_attempt_count: false,
                routes: probes.iter().map(route).collect(),
            }],
        },
    };
    let manager = Any::HttpConnectionManager(Box::new(manager));
    Extension::new("envoy.filters.network.http_connection_manager", manager)
}

/// Where the application answers.
pub(super) fn cluster(probe: &AppProbe) -> Cluster {
    clusters::local(cluster_name(probe), Address::tcp(probe.host.clone(), probe.port))
}

fn cluster_name(probe: &AppProbe) -> String {
    format!("probe|{}||", probe.port)
}

/// Only the one path is let through.
fn route(probe: &AppProbe) -> Route {
    let asked = format!("{APPLICATION}{}", probe.path.trim_start_matches('/'));
    let to = ClusterSpecifier::Cluster(cluster_name(probe));
    Route {
        name: format!("probe of {}", probe.port),
        matches: RouteMatch { prefix: APPLICATION, headers: vec![path_is(asked)] },
        action: Action::Route(Box::new(RouteAction {
            prefix_rewrite: Some("/"),
            timeout: PATIENCE,
            ..routes::forward(to, routes::retries(String::new(), 0))
        })),
        request_headers_to_remove: Vec::new(),
    }
}

fn path_is(path: String) -> HeaderMatcher {
    HeaderMatcher::new(":path", HeaderMatch::StringMatch(StringMatcher::Exact(path)))
}
