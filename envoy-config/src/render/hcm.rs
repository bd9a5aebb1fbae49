//! How HTTP is read on a listener.

use std::collections::BTreeSet;
use std::time::Duration;

use outrigger_core::route::Profile;

use super::listeners::{Plan, Traffic};
use super::options::Options;
use super::{access_log, routes};
use crate::envoy::Any;
use crate::envoy::any::Extension;
use crate::envoy::http::{HttpConnectionManager, HttpFilter, ServerProtocolOptions, UpgradeConfig};
use crate::envoy::listener::{FilterChain, FilterChainMatch, Listener, TrafficDirection};
use crate::envoy::scalars::{Address, Seconds};
use crate::mesh_config::PathNormalization;

/// Enough for the largest headers that a browser sends, and for 60 kB of them; Envoy answers 431 to more.
const MAX_REQUEST_HEADERS_KB: u32 = 96;

/// Until Envoy gives up a request on which nothing happens, also one that a fault holds.
pub(crate) const STREAM_IDLE_TIMEOUT: Duration = Duration::from_secs(300);

/// The listener of `plan` with `http_filters`.
pub(super) fn listener(
    plan: &Plan,
    http_filters: Vec<HttpFilter>,
    profiles: &BTreeSet<Profile>,
    options: &Options,
) -> Listener {
    let direction = match plan.traffic {
        Traffic::Inbound(_) => TrafficDirection::Inbound,
        Traffic::Gateway | Traffic::Outbound(_) => TrafficDirection::Outbound,
    };
    let manager = Any::HttpConnectionManager(Box::new(manager(plan, http_filters, profiles, options)));
    let filter = Extension::new("envoy.filters.network.http_connection_manager", manager);
    Listener {
        name: plan.name(),
        address: Address::tcp(plan.address.ip().to_string(), plan.address.port()),
        traffic_direction: direction,
        listener_filters: Vec::new(),
        filter_chains: vec![FilterChain {
            name: String::new(),
            filter_chain_match: FilterChainMatch::default(),
            filters: vec![filter],
            transport_socket: None,
        }],
    }
}

fn manager(
    plan: &Plan,
    http_filters: Vec<HttpFilter>,
    profiles: &BTreeSet<Profile>,
    options: &Options,
) -> HttpConnectionManager {
    let gateway = plan.traffic == Traffic::Gateway;
    let normalization = options.mesh.path_normalization;
    let (inbound, merge) = (
        matches!(plan.traffic, Traffic::Inbound(_)),
        matches!(normalization, PathNormalization::MergeSlashes | PathNormalization::DecodeAndMergeSlashes),
    );
    HttpConnectionManager {
        stat_prefix: format!("{}_{}", if inbound { "inbound" } else { "outbound" }, plan.name()),
        codec_type: "AUTO",
        use_remote_address: gateway,
        xff_num_trusted_hops: if gateway { options.mesh.trusted_proxies } else { 0 },
        normalize_path: normalization != PathNormalization::None,
        merge_slashes: merge,
        path_with_escaped_slashes_action: match normalization {
            PathNormalization::DecodeAndMergeSlashes => "UNESCAPE_AND_FORWARD",
            _ => "KEEP_UNCHANGED",
        },
        stream_idle_timeout: Seconds::new(STREAM_IDLE_TIMEOUT.as_secs()),
        max_request_headers_kb: MAX_REQUEST_HEADERS_KB,
        common_http_protocol_options: ServerProtocolOptions { headers_with_underscores_action: "ALLOW" },
        upgrade_configs: vec![UpgradeConfig { upgrade_type: "websocket" }],
        access_log: access_log::loggers(&options.mesh),
        http_filters,
        route_config: routes::configuration(plan.traffic, &options.mesh, profiles),
    }
}
