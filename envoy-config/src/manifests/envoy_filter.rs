//! `networking.istio.io/v1alpha3` `EnvoyFilter`: what istiod has no resource for.

use std::collections::BTreeMap;
use std::path::Path;

use outrigger_api::Role;
use serde::Serialize;

use super::metadata::{Metadata, Object};
use super::target_ref::TargetRef;
use super::wasm_plugin::Attached;
use crate::envoy::cluster::Cluster;
use crate::envoy::http::HttpFilter;
use crate::envoy::route::Route;
use crate::mesh_config::MeshConfig;
use crate::render::around;
use crate::render::part::Needs;

/// `spec`
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EnvoyFilterSpec {
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    attached: Option<Workloads>,
    config_patches: Vec<ConfigPatch>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Workloads {
    WorkloadSelector { labels: BTreeMap<String, String> },
    TargetRefs(Vec<TargetRef>),
}

/// A change to what istiod has made.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct ConfigPatch {
    apply_to: ApplyTo,
    #[serde(rename = "match")]
    matches: Match,
    patch: Patch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum ApplyTo {
    Cluster,
    HttpFilter,
    HttpRoute,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Match {
    context: Context,
    #[serde(skip_serializing_if = "Option::is_none")]
    listener: Option<ListenerMatch>,
    #[serde(skip_serializing_if = "Option::is_none")]
    route_configuration: Option<RouteConfigurationMatch>,
}

impl Match {
    /// Everything of the kind.
    fn of(context: Context) -> Self {
        Self { context, listener: None, route_configuration: None }
    }
}

/// The routes of a Gateway's port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct RouteConfigurationMatch {
    port_number: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Context {
    Gateway,
    SidecarInbound,
    SidecarOutbound,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct ListenerMatch {
    filter_chain: FilterChainMatch,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct FilterChainMatch {
    filter: FilterMatch,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct FilterMatch {
    name: &'static str,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Patch {
    operation: Operation,
    value: PatchValue,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Operation {
    Add,
    InsertFirst,
}

/// A part of Envoy's configuration.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
enum PatchValue {
    Cluster(Box<Cluster>),
    Filter(Box<HttpFilter>),
    Route(Box<Route>),
}

/// An object's `spec`, and why it is there.
type Explained = (EnvoyFilterSpec, Vec<String>);

/// What has to be there before the filters, which need it. `None`: nothing.
pub(super) fn beside(
    needs: &Needs,
    role: Role,
    authorities: &Path,
    attached: Option<&Attached>,
) -> Option<Explained> {
    let (mut patches, mut reasons) = (Vec::new(), Vec::new());
    let gateway = role == Role::Gateway;
    if !needs.keys.is_empty() {
        let of_clusters = if gateway { Context::Gateway } else { Context::SidecarOutbound };
        patches.extend(needs.keys.iter().map(|name| ConfigPatch {
            apply_to: ApplyTo::Cluster,
            matches: Match::of(of_clusters),
            patch: Patch {
                operation: Operation::Add,
                value: PatchValue::Cluster(Box::new(around::key_cluster(name, authorities))),
            },
        }));
        let names: Vec<_> = needs.keys.iter().map(|name| format!("`{name}`")).collect();
        reasons.push(format!(
            "CLUSTER {}: what the filter fetches keys of tokens through (`jwksUri`, OpenID discovery). No cluster of \
             istiod's goes to the host that a request names and verifies it. Not needed if the keys stand in `jwks`.",
            names.join(" and ")
        ));
    }
    if around::asks_for_peer(needs.attributes) {
        let context = if gateway { Context::Gateway } else { Context::SidecarInbound };
        let filter = FilterMatch { name: "envoy.filters.network.http_connection_manager" };
        let listener = ListenerMatch { filter_chain: FilterChainMatch { filter } };
        patches.push(ConfigPatch {
            apply_to: ApplyTo::HttpFilter,
            matches: Match { listener: Some(listener), ..Match::of(context) },
            patch: Patch {
                operation: Operation::InsertFirst,
                value: PatchValue::Filter(Box::new(around::source_ip())),
            },
        });
        reasons.push(
            "HTTP_FILTER: keeps the address of the TCP peer for rules on `ipBlocks`. The attribute that a filter can \
             read is the client's after `x-forwarded-for`, which a client can write."
                .to_owned(),
        );
    }
    (!patches.is_empty()).then(|| (spec(patches, attached), reasons))
}

/// The routes that obey the router filter's header, on these ports of Gateways; on all if there are none.
pub(super) fn routes(
    needs: &Needs,
    mesh: &MeshConfig,
    ports: &[u16],
    attached: Option<&Attached>,
) -> Explained {
    let of_port = |port: u16| Match {
        route_configuration: Some(RouteConfigurationMatch { port_number: port }),
        ..Match::of(Context::Gateway)
    };
    let mut places: Vec<_> = ports.iter().copied().map(of_port).collect();
    if places.is_empty() {
        places.push(Match::of(Context::Gateway));
    }
    let mut patches = Vec::new();
    for place in places {
        // The one that is put first last is the first.
        for route in around::generic_routes(mesh, &needs.profiles).into_iter().rev() {
            patches.push(ConfigPatch {
                apply_to: ApplyTo::HttpRoute,
                matches: place.clone(),
                patch: Patch { operation: Operation::InsertFirst, value: PatchValue::Route(Box::new(route)) },
            });
        }
    }
    let reason = "HTTP_ROUTE: sends a request to the cluster that the router filter names in a header. The filter takes \
                  that header away from clients: apply this after the WasmPlugin, and delete it before; alone it would let \
                  clients choose.";
    (spec(patches, attached), vec![reason.to_owned()])
}

fn spec(config_patches: Vec<ConfigPatch>, attached: Option<&Attached>) -> EnvoyFilterSpec {
    let attached = attached.map(|attached| match attached {
        Attached::Selector(selector) => Workloads::WorkloadSelector { labels: selector.match_labels.clone() },
        Attached::TargetRefs(refs) => Workloads::TargetRefs(refs.clone()),
    });
    EnvoyFilterSpec { attached, config_patches }
}

/// The whole object.
pub(super) fn envoy_filter(metadata: Metadata, spec: EnvoyFilterSpec) -> Object<EnvoyFilterSpec> {
    Object { api_version: "networking.istio.io/v1alpha3", kind: "EnvoyFilter", metadata, spec }
}
