//! How HTTP is read on a listener.

use std::collections::BTreeSet;

use outrigger_core::header_names;
use outrigger_core::route::Profile;

use super::listeners::{Http, Traffic};
use super::options::Options;
use super::routes;
use super::tracing::Traced;
use crate::envoy::Any;
use crate::envoy::access_log::AccessLog;
use crate::envoy::any::Extension;
use crate::envoy::http::{
    ClientCertDetails, EarlyHeaderMutation, HttpConnectionManager, HttpFilter, ServerProtocolOptions,
    UpgradeConfig,
};
use crate::envoy::scalars::Seconds;
use crate::mesh_config::PathNormalization;

/// Enough for the largest headers that a browser sends, and for 60 kB of them; Envoy answers 431 to more.
const MAX_REQUEST_HEADERS_KB: u32 = 96;

/// A request on which nothing happens is never given up, as in Istio: a silent WebSocket stays, and a rule's own `timeout` may
/// be as long as it likes. Envoy's own default is five minutes.
const STREAM_IDLE_TIMEOUT: Seconds = Seconds::new(0);

/// What a gateway tells services of a client's certificate, as Istio's does.
const WHOLE_CERTIFICATE: ClientCertDetails =
    ClientCertDetails { subject: true, cert: true, dns: true, uri: true };
/// What a sidecar tells its application of it. Envoy takes the header away from a request without a certificate.
const NAMES: ClientCertDetails = ClientCertDetails { cert: false, ..WHOLE_CERTIFICATE };

/// Stands for a cluster that nobody has chosen yet: should it ever be asked for, the answer is 503.
const UNDECIDED: &str = "undecided";

/// The network filter that speaks HTTP on a chain of the listener `name`, with `http_filters`, of which some may ask
/// servers (`asks`), with its logs and traces.
pub(super) fn filter(
    name: &str,
    http: &Http,
    (http_filters, asks): (Vec<HttpFilter>, bool),
    profiles: &BTreeSet<Profile>,
    (access_log, traced): (Vec<AccessLog>, Option<Traced>),
    options: &Options,
) -> Extension {
    let mut manager = manager(name, http, http_filters, profiles, options);
    manager.access_log = access_log;
    if let Some(Traced { tracing, request_id }) = traced {
        manager.tracing = Some(tracing);
        manager.request_id_extension = request_id;
    }
    if http.proxy.routes() {
        let early = if asks { undecided() } else { not_by_clients() };
        manager.early_header_mutation_extensions = vec![early];
    }
    let manager = Any::HttpConnectionManager(Box::new(manager));
    Extension::new("envoy.filters.network.http_connection_manager", manager)
}

/// A client chooses no route, even if a filter that has broken down takes nothing away.
fn not_by_clients() -> Extension {
    early(EarlyHeaderMutation::remove(header_names::CLUSTER))
}

fn early(mutation: EarlyHeaderMutation) -> Extension {
    Extension::new("envoy.http.early_header_mutation.header_mutation", Any::EarlyHeaderMutation(mutation))
}

/// Envoy asks no server about a request that has no route. Where the filters of ours choose it, that is every request so
/// far: a header of theirs gives it one until they take the header away, as they do with a client's.
pub(super) fn undecided() -> Extension {
    early(EarlyHeaderMutation::set(header_names::CLUSTER, UNDECIDED))
}

/// Whether `//` becomes `/`.
pub(super) fn merges(normalization: PathNormalization) -> bool {
    matches!(normalization, PathNormalization::MergeSlashes | PathNormalization::DecodeAndMergeSlashes)
}

/// What becomes of `%2F` and `%5C`.
pub(super) fn escaped_slashes(normalization: PathNormalization) -> &'static str {
    match normalization {
        PathNormalization::DecodeAndMergeSlashes => "UNESCAPE_AND_FORWARD",
        _ => "KEEP_UNCHANGED",
    }
}

fn manager(
    name: &str,
    http: &Http,
    http_filters: Vec<HttpFilter>,
    profiles: &BTreeSet<Profile>,
    options: &Options,
) -> HttpConnectionManager {
    let gateway = http.traffic == Traffic::Gateway;
    let normalization = options.mesh.path_normalization;
    let inbound = matches!(http.traffic, Traffic::Inbound(_));
    let certificates = match http.traffic {
        Traffic::Gateway => Some(("SANITIZE_SET", WHOLE_CERTIFICATE)),
        Traffic::Inbound(_) => Some(("APPEND_FORWARD", NAMES)),
        // What an application says of its clients is nobody's business.
        Traffic::Outbound(_) => None,
    };
    HttpConnectionManager {
        stat_prefix: format!("{}_{}", if inbound { "inbound" } else { "outbound" }, name),
        codec_type: "AUTO",
        use_remote_address: gateway,
        xff_num_trusted_hops: if gateway { options.mesh.trusted_proxies } else { 0 },
        normalize_path: normalization != PathNormalization::None,
        merge_slashes: merges(normalization),
        path_with_escaped_slashes_action: escaped_slashes(normalization),
        stream_idle_timeout: STREAM_IDLE_TIMEOUT,
        // As Istio has it: nobody sends a body that a policy or the service refuses anyway.
        proxy_100_continue: true,
        max_request_headers_kb: MAX_REQUEST_HEADERS_KB,
        common_http_protocol_options: ServerProtocolOptions { headers_with_underscores_action: "ALLOW" },
        upgrade_configs: vec![UpgradeConfig { upgrade_type: "websocket" }],
        forward_client_cert_details: certificates.map(|(what, _)| what),
        set_current_client_cert_details: certificates.map(|(_, details)| details),
        early_header_mutation_extensions: Vec::new(),
        access_log: Vec::new(),
        tracing: None,
        request_id_extension: None,
        http_filters,
        route_config: routes::configuration(http, &options.mesh, profiles),
    }
}
