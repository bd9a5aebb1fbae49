//! The generic routes: where the filter's header says, with retries that the filter's headers drive. What no header
//! says stands on a route of its own, which the filter names.

use std::collections::BTreeSet;

use outrigger_api::types::virtual_service::HttpRetry;
use outrigger_core::header_names;
use outrigger_core::route::{Mirror, Profile, RetryProfile};

use super::listeners::{Http, Traffic, Unknown};
use crate::envoy::Any;
use crate::envoy::any::Extension;
use crate::envoy::route::{
    Action, BackOff, ClusterSpecifier, FractionalPercent, HeaderMatch, HeaderMatcher, MaxStreamDuration,
    MirrorPolicy, RetryPolicy, Route, RouteAction, RouteConfiguration, RouteMatch, RuntimeFraction,
    VirtualHost,
};
use crate::envoy::scalars::{Seconds, StringMatcher};
use crate::mesh_config::MeshConfig;

/// The cluster of requests that a sidecar lets pass to where they were headed.
pub(super) const PASSTHROUGH: &str = "PassthroughCluster";

/// Hosts that stand for this machine, in RE2's syntax.
const LOCAL: &str = r"localhost|127\.[0-9.]+|0\.0\.0\.0|\[::1?\]";
/// Istio's default `retryOn`.
const RETRY_ON: &str = "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes";
/// How often Envoy looks at which priorities were tried.
const UPDATE_FREQUENCY: u32 = 2;
/// How often Envoy looks for a host that was not tried yet.
const HOST_SELECTION_ATTEMPTS: u32 = 5;

/// The cluster of a sidecar's application.
pub(super) fn inbound_cluster(port: u16) -> String {
    format!("inbound|{port}||")
}

/// The routes of a listener.
pub(super) fn configuration(
    http: &Http,
    mesh: &MeshConfig,
    profiles: &BTreeSet<Profile>,
) -> RouteConfiguration {
    let Http { traffic, redirects, own_port, .. } = http;
    let (name, routes) = match traffic {
        Traffic::Gateway => {
            let mut routes = by_header(mesh, profiles);
            routes.push(other_upgrades());
            ("gateway", routes)
        }
        Traffic::Outbound(unknown) => {
            let mut routes: Vec<_> = instead_of_passing(unknown, mesh).into_iter().collect();
            routes.extend(own_port.filter(|_| *unknown == Unknown::PassThrough).map(to_itself));
            routes.extend(by_header(mesh, profiles));
            routes.push(to_unknown_host(unknown, mesh));
            ("outbound", routes)
        }
        Traffic::Inbound(application) => ("inbound", vec![to_application(application.port)]),
    };
    let any = || std::iter::once("*".to_owned());
    let domains: Vec<_> = match redirects.hosts.contains("*") {
        true => redirects.except.iter().cloned().collect(),
        false => any().chain(redirects.except.iter().cloned()).collect(),
    };
    let past = if redirects.passable { routes.clone() } else { Vec::new() };
    let host = VirtualHost {
        name: "any".to_owned(),
        domains,
        require_tls: None,
        include_request_attempt_count: true,
        routes,
    };
    let to_https = VirtualHost {
        name: "to-https".to_owned(),
        domains: redirects.hosts.iter().cloned().collect(),
        require_tls: Some("ALL"),
        include_request_attempt_count: redirects.passable,
        routes: past,
    };
    let virtual_hosts = [to_https, host].into_iter().filter(|host| !host.domains.is_empty());
    RouteConfiguration {
        name: name.to_owned(),
        validate_clusters: false,
        ignore_port_in_host_matching: !redirects.hosts.is_empty(),
        virtual_hosts: virtual_hosts.collect(),
    }
}

/// Where the filter's header says. A request without that header has no route here. Filters and routes change at
/// different moments: a request whose profile is not known takes the route it would take without one.
pub(super) fn by_header(mesh: &MeshConfig, profiles: &BTreeSet<Profile>) -> Vec<Route> {
    let route = |name, header: &'static str, matches, retry_policy, mirrors: &[Mirror], removes| Route {
        name,
        // A rewrite may leave a path without a slash in front.
        matches: RouteMatch { prefix: "", headers: vec![HeaderMatcher::new(header, matches)] },
        action: Action::Route(Box::new(RouteAction {
            request_mirror_policies: mirrors.iter().map(mirror_policy).collect(),
            ..forward(ClusterSpecifier::ClusterHeader(header_names::CLUSTER), retry_policy)
        })),
        request_headers_to_remove: [ours(), removes].concat(),
    };
    let of_profile = |profile: &Profile| {
        let matches = HeaderMatch::StringMatch(StringMatcher::Exact(profile.name()));
        let retry_policy = with_profile(profile.retries, mesh);
        let removes = profile.removes.clone();
        route(profile.name(), header_names::PROFILE, matches, retry_policy, &profile.mirrors, removes)
    };
    let mut routes: Vec<Route> = profiles.iter().map(of_profile).collect();
    for (name, header, retry_policy) in [
        ("own-retries", header_names::OWN_RETRIES, retries(String::new(), 0)),
        ("default-retries", header_names::CLUSTER, default_retries(mesh.default_retries.as_ref())),
    ] {
        let matches = HeaderMatch::PresentMatch(true);
        routes.push(route(name.to_owned(), header, matches, retry_policy, &[], Vec::new()));
    }
    routes
}

/// Envoy refuses upgrades that the listener does not name only where it has a route before the filters are asked, and a
/// gateway has none: so it has this one. Whoever is not refused would have a way to the service past all filters.
fn other_upgrades() -> Route {
    let websocket = StringMatcher::Exact("websocket".to_owned()).any_case();
    let is_websocket = HeaderMatcher::new("upgrade", HeaderMatch::AnyCase(websocket));
    let headers = vec![
        HeaderMatcher::new("upgrade", HeaderMatch::PresentMatch(true)),
        HeaderMatcher { invert_match: true, ..is_websocket },
    ];
    Route {
        name: "other_upgrades".to_owned(),
        matches: RouteMatch { prefix: "", headers },
        action: Action::DirectResponse { status: 403 },
        request_headers_to_remove: Vec::new(),
    }
}

/// As Istio writes it.
fn mirror_policy(mirror: &Mirror) -> MirrorPolicy {
    let default_value = FractionalPercent { numerator: mirror.percentage.get(), denominator: "MILLION" };
    MirrorPolicy {
        cluster: mirror.destination.cluster_name(),
        runtime_fraction: RuntimeFraction { default_value },
        trace_sampled: false,
        disable_shadow_host_suffix_append: true,
    }
}

/// A rule's own retries come by header, the mesh's stand here.
fn with_profile(profile: RetryProfile, mesh: &MeshConfig) -> RetryPolicy {
    let default = mesh.default_retries.as_ref();
    let mut policy = if profile.own { retries(String::new(), 0) } else { default_retries(default) };
    // What the mesh says of hosts, it says for consistent hashes too.
    let by_mesh = !profile.own && default.is_some_and(|mesh| mesh.retry_ignore_previous_hosts.is_some());
    if !profile.other_hosts && !by_mesh {
        policy.retry_host_predicate.clear();
        policy.host_selection_retry_max_attempts = 0;
    }
    if let Some(base) = profile.back_off {
        policy.retry_back_off = Some(BackOff { base_interval: Seconds(base) });
    }
    if profile.remote_localities {
        policy.retry_priority = Some(other_priorities());
    }
    policy
}

/// The filter lets requests for unknown hosts pass. Where they may not, this route is before the one that would follow it.
fn instead_of_passing(policy: &Unknown, mesh: &MeshConfig) -> Option<Route> {
    (*policy != Unknown::PassThrough).then(|| Route {
        // A rewrite may leave a path without a slash in front.
        matches: RouteMatch { prefix: "", headers: vec![passes()] },
        request_headers_to_remove: ours(),
        ..to_unknown_host(policy, mesh)
    })
}

/// A request for the listener's own port that may pass would come back for ever. As in Istio it goes nowhere, whatever the
/// host.
fn to_itself(port: u16) -> Route {
    let itself = match port {
        80 => StringMatcher::SafeRegex { regex: format!("{LOCAL}|.*:80") },
        port => StringMatcher::Suffix(format!(":{port}")),
    };
    let authority = HeaderMatcher::new(":authority", HeaderMatch::StringMatch(itself));
    Route {
        name: "block_itself".to_owned(),
        matches: RouteMatch { prefix: "", headers: vec![passes(), authority] },
        action: Action::DirectResponse { status: 502 },
        request_headers_to_remove: ours(),
    }
}

/// What the filter says of a request that it lets pass.
fn passes() -> HeaderMatcher {
    let passes = StringMatcher::Exact(PASSTHROUGH.to_owned());
    HeaderMatcher::new(header_names::CLUSTER, HeaderMatch::StringMatch(passes))
}

/// What the filter says to the routes, and nobody else gets.
fn ours() -> Vec<&'static str> {
    vec![header_names::CLUSTER, header_names::OWN_RETRIES, header_names::PROFILE]
}

/// Where it was headed, or nowhere. The names are those by which Istio's metrics tell such requests.
fn to_unknown_host(policy: &Unknown, mesh: &MeshConfig) -> Route {
    let to = |cluster| {
        let retries = default_retries(mesh.default_retries.as_ref());
        Action::Route(Box::new(forward(ClusterSpecifier::Cluster(cluster), retries)))
    };
    let (name, action) = match policy {
        Unknown::PassThrough => ("allow_any", to(PASSTHROUGH.to_owned())),
        Unknown::Proxy(proxy) => ("allow_any", to(proxy.cluster_name())),
        Unknown::Refuse => ("block_all", Action::DirectResponse { status: 502 }),
    };
    // A host that is known, and has no rule that fits, is not one of these.
    let known = HeaderMatcher::new(header_names::NO_ROUTE, HeaderMatch::PresentMatch(false));
    let matches = RouteMatch { prefix: "", headers: vec![known] };
    Route { name: name.to_owned(), matches, action, request_headers_to_remove: Vec::new() }
}

fn to_application(port: u16) -> Route {
    // A connection that was closed before the request was on it is safe to try again.
    let mut again = retries("reset-before-request".to_owned(), 2);
    again.retry_host_predicate.clear();
    again.host_selection_retry_max_attempts = 0;
    let mut forward = forward(ClusterSpecifier::Cluster(inbound_cluster(port)), again);
    forward.max_grpc_timeout = None;
    forward.max_stream_duration = Some(MaxStreamDuration {
        max_stream_duration: Seconds::ZERO,
        grpc_timeout_header_max: Seconds::ZERO,
    });
    Route {
        name: "default".to_owned(),
        matches: RouteMatch { prefix: "/", headers: Vec::new() },
        action: Action::Route(Box::new(forward)),
        request_headers_to_remove: Vec::new(),
    }
}

pub(super) fn forward(cluster: ClusterSpecifier, retry_policy: RetryPolicy) -> RouteAction {
    RouteAction {
        cluster,
        cluster_not_found_response_code: "SERVICE_UNAVAILABLE",
        prefix_rewrite: None,
        timeout: Seconds::ZERO,
        max_grpc_timeout: Some(Seconds::ZERO),
        max_stream_duration: None,
        retry_policy,
        request_mirror_policies: Vec::new(),
    }
}

fn default_retries(mesh: Option<&HttpRetry>) -> RetryPolicy {
    let Some(mesh) = mesh else { return retries(RETRY_ON.to_owned(), 2) };
    if mesh.attempts == 0 {
        return retries(String::new(), 0);
    }
    let mut policy = retries(RETRY_ON.to_owned(), mesh.attempts);
    if let Some(on) = &mesh.retry_on {
        let mut conditions = on.conditions.clone();
        let by_status = "retriable-status-codes";
        if !on.status_codes.is_empty() && !conditions.iter().any(|condition| condition == by_status) {
            conditions.push(by_status.to_owned());
        }
        policy.retry_on = conditions.join(",");
        policy.retriable_status_codes.clone_from(&on.status_codes);
    }
    if mesh.retry_ignore_previous_hosts == Some(false) {
        policy.retry_host_predicate.clear();
        policy.host_selection_retry_max_attempts = 0;
    }
    if mesh.retry_remote_localities == Some(true) {
        policy.retry_priority = Some(other_priorities());
    }
    policy.per_try_timeout = mesh.per_try_timeout.map(Seconds);
    policy.retry_back_off = mesh.backoff.map(|base| BackOff { base_interval: Seconds(base) });
    policy
}

fn other_priorities() -> Extension {
    let config = Any::PreviousPriorities { update_frequency: UPDATE_FREQUENCY };
    Extension::new("envoy.retry_priorities.previous_priorities", config)
}

pub(super) fn retries(retry_on: String, num_retries: u32) -> RetryPolicy {
    let previous = Extension::new("envoy.retry_host_predicates.previous_hosts", Any::PreviousHosts {});
    RetryPolicy {
        retry_on,
        num_retries,
        per_try_timeout: None,
        retriable_status_codes: Vec::new(),
        retry_priority: None,
        retry_host_predicate: vec![previous],
        host_selection_retry_max_attempts: HOST_SELECTION_ATTEMPTS,
        retry_back_off: None,
    }
}
