//! What is done with a request that meets a delegating rule and a delegate's.

use super::{RootRule, matches::joined};
use crate::{
    host::resolve_short_name,
    types::{
        common::{Destination, Headers},
        virtual_service::{HttpMatchRequest, HttpRoute, Mirror, RouteAction},
    },
};

/// The leaf's rule with `matches`. What it does not say it has from the root's, field by field; `headers` is one
/// field.
pub(super) fn merge(
    root: RootRule<'_>,
    root_route: &HttpRoute,
    leaf: &HttpRoute,
    matches: Vec<HttpMatchRequest>,
    cluster_domain: &str,
) -> HttpRoute {
    // Short names in the root's rule are of the root's namespace.
    let resolved = |destination: &Destination| {
        let host = resolve_short_name(&destination.host, &root.resource.meta.namespace, cluster_domain);
        Destination { host, ..destination.clone() }
    };
    let copied = |mirror: &Mirror| Mirror { destination: resolved(&mirror.destination), ..mirror.clone() };
    let action = match (&root_route.action, &leaf.action) {
        // As in Istio's translation, a redirect wins over an answer, and that over destinations.
        (RouteAction::Delegate(delegate), RouteAction::Route(_)) => {
            delegate.direct_response.clone().map(RouteAction::DirectResponse)
        }
        _ => None,
    };
    HttpRoute {
        name: joined(root_route.name.as_deref(), leaf.name.as_deref()),
        matches,
        action: action.unwrap_or_else(|| leaf.action.clone()),
        rewrite: leaf.rewrite.clone().or_else(|| root_route.rewrite.clone()),
        timeout: leaf.timeout.or(root_route.timeout),
        retries: leaf.retries.clone().or_else(|| root_route.retries.clone()),
        fault: leaf.fault.clone().or_else(|| root_route.fault.clone()),
        mirror: leaf.mirror.clone().or_else(|| root_route.mirror.as_ref().map(resolved)),
        mirror_percentage: leaf.mirror_percentage.or(root_route.mirror_percentage),
        mirrors: if leaf.mirrors.is_empty() {
            root_route.mirrors.iter().map(copied).collect()
        } else {
            leaf.mirrors.clone()
        },
        cors_policy: leaf.cors_policy.clone().or_else(|| root_route.cors_policy.clone()),
        headers: if leaf.headers == Headers::default() {
            root_route.headers.clone()
        } else {
            leaf.headers.clone()
        },
    }
}
