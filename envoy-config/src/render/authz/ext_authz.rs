//! A provider as the filters that ask it.

use outrigger_api::types::authorization_policy::ValuePattern;
use outrigger_api::types::extension_provider::{ExtAuthzHttp, ProviderKind};
use outrigger_core::header_names;

use super::provider::{Asked, destination};
use crate::envoy::ext_authz::{
    AuthorizationRequest, AuthorizationResponse, AuthzService, BufferSettings, HeaderMutationRules,
    HttpExtAuthz, HttpService, HttpStatus, NetworkExtAuthz,
};
use crate::envoy::grpc::{EnvoyGrpc, GrpcService, HttpUri};
use crate::envoy::http::HeaderValue;
use crate::envoy::matcher::{ListStringMatcher, MetadataMatcher, ValueMatcher};
use crate::envoy::scalars::{Seconds, StringMatcher};

/// In front of what the RBAC filter tells of rules for which a server is asked, as under Istio.
const ENFORCED: &str = "istio_ext_authz_";
/// Of those that are tried out.
const TRIED: &str = "outrigger_dry_run_ext_authz_";
/// In front of statistics of servers that are tried out.
const TRIED_STATS: &str = "dry_run";

/// The prefix of what the RBAC filter tells.
pub(super) fn stat_prefix(asked: &Asked<'_>) -> &'static str {
    if asked.dry_run { TRIED } else { ENFORCED }
}

/// The HTTP filter.
pub(super) fn of_requests(asked: &Asked<'_>) -> HttpExtAuthz {
    let check = asked.provider.check();
    let (service, allowed_headers) = match &asked.provider.kind {
        ProviderKind::ExtAuthzHttp(http) => (
            AuthzService::HttpService(Box::new(http_service(http, asked.dry_run))),
            &http.request_headers[..],
        ),
        ProviderKind::ExtAuthzGrpc(_) => (AuthzService::GrpcService(grpc_service(asked)), &[][..]),
    };
    HttpExtAuthz {
        service,
        transport_api_version: "V3",
        failure_mode_allow: check.fail_open,
        status_on_error: HttpStatus { code: check.status_on_error },
        clear_route_cache: check.clear_route_cache,
        with_request_body: check.request_body.map(|body| BufferSettings {
            max_request_bytes: body.max_bytes,
            // What is tried out refuses no long body.
            allow_partial_message: body.allow_partial || asked.dry_run,
            pack_as_bytes: body.pack_as_bytes,
        }),
        allowed_headers: headers(allowed_headers),
        disallowed_headers: ListStringMatcher {
            patterns: vec![StringMatcher::Exact(header_names::CLUSTER.to_owned()).any_case()],
        },
        filter_enabled_metadata: matched("envoy.filters.http.rbac", asked),
        shadow_mode: asked.dry_run,
        decoder_header_mutation_rules: asked.dry_run.then_some(HeaderMutationRules { disallow_all: true }),
        stat_prefix: if asked.dry_run { TRIED_STATS } else { "" },
    }
}

/// The network filter. `None`: a server that is asked by HTTP knows nothing of connections.
pub(super) fn of_connections(asked: &Asked<'_>) -> Option<NetworkExtAuthz> {
    let ProviderKind::ExtAuthzGrpc(_) = &asked.provider.kind else { return None };
    Some(NetworkExtAuthz {
        stat_prefix: if asked.dry_run { "tcp.dry_run" } else { "tcp." },
        grpc_service: grpc_service(asked),
        transport_api_version: "V3",
        failure_mode_allow: asked.provider.check().fail_open,
        filter_enabled_metadata: matched("envoy.filters.network.rbac", asked),
        shadow_mode: asked.dry_run,
    })
}

/// A rule of one of the policies has matched.
fn matched(filter: &str, asked: &Asked<'_>) -> MetadataMatcher {
    let rule = ValueMatcher::StringMatch(StringMatcher::Prefix(asked.rule_prefix()));
    MetadataMatcher::of(filter, format!("{}shadow_effective_policy_id", stat_prefix(asked)), rule)
}

fn grpc_service(asked: &Asked<'_>) -> GrpcService {
    let server = asked.server(true);
    GrpcService {
        envoy_grpc: EnvoyGrpc { cluster_name: server.cluster_name(), authority: server.destination.host },
        timeout: Some(Seconds(asked.provider.check().timeout)),
        initial_metadata: Vec::new(),
    }
}

fn http_service(http: &ExtAuthzHttp, dry_run: bool) -> HttpService {
    let to = destination(&http.check.service, http.check.port);
    let answer = AuthorizationResponse {
        allowed_upstream_headers: headers(&http.to_upstream_on_allow),
        allowed_client_headers: headers(&http.to_downstream_on_deny),
        allowed_client_headers_on_success: headers(&http.to_downstream_on_allow),
    };
    let additional = http.additional_headers.iter();
    HttpService {
        server_uri: HttpUri {
            uri: format!("http://{}", to.host),
            cluster: to.cluster_name(),
            timeout: Seconds(http.check.timeout),
        },
        path_prefix: http.path_prefix.clone(),
        authorization_request: AuthorizationRequest {
            headers_to_add: additional
                .map(|(key, value)| HeaderValue { key: key.clone(), value: value.clone() })
                .collect(),
        },
        // What is tried out changes no request.
        authorization_response: if dry_run { AuthorizationResponse::default() } else { answer },
    }
}

/// `None`: Envoy's default. The names of headers have no case.
fn headers(patterns: &[ValuePattern]) -> Option<ListStringMatcher> {
    let matchers = patterns.iter().map(|pattern| {
        let matcher = match pattern {
            ValuePattern::Any => StringMatcher::Prefix(String::new()),
            ValuePattern::Exact(name) => StringMatcher::Exact(name.clone()),
            ValuePattern::Prefix(prefix) => StringMatcher::Prefix(prefix.clone()),
            ValuePattern::Suffix(suffix) => StringMatcher::Suffix(suffix.clone()),
        };
        matcher.any_case()
    });
    (!patterns.is_empty()).then(|| ListStringMatcher { patterns: matchers.collect() })
}
