//! The HTTP filters of a listener: ours, each with the resources it reads, and Envoy's own around them.

use std::path::Path;
use std::sync::Arc;

use outrigger_api::node::Value;
use outrigger_api::select::is_stray;
use outrigger_api::{Config, Kind, Proxy, Resource};

use super::authz;
use super::listeners::{Http, Traffic, Unknown};
use super::options::Filters;
use crate::envoy::Any;
use crate::envoy::cluster::DnsCache;
use crate::envoy::http::{FilterStateValue, FormatString, HttpFilter, SetFilterState};
use crate::envoy::scalars::Block;
use crate::envoy::wasm::{DataSource, FailurePolicy, LocalFile, PluginConfig, VmConfig};
use crate::modules::Module;

/// Where the filters look for the peer's own address: Envoy's `source.address` is taken from `x-forwarded-for`.
pub const SOURCE_IP_KEY: &str = "outrigger.source_ip";

/// The DNS answers of requests to hosts that nobody has named.
pub(super) const DNS_CACHE: DnsCache = DnsCache { name: "outrigger", dns_lookup_family: "V4_PREFERRED" };

/// What names services and where they are.
const SERVICES: &[Kind] = &[Kind::DestinationRule, Kind::Gateway, Kind::Service, Kind::ServiceEntry];

/// The modules that a listener needs.
pub(super) fn modules(filters: Filters) -> &'static [Module] {
    match filters {
        Filters::Suite => &[Module::Suite],
        Filters::Separate => &Module::SEPARATE,
    }
}

/// What filters of Envoy's own stand beside ours for.
#[derive(Debug, Default)]
pub(super) struct Beside {
    /// Those that servers are asked by.
    pub(super) guard: Vec<HttpFilter>,
    /// There are services whose requests go where they say themselves.
    pub(super) names: bool,
    /// The address of the TCP peer is asked for, and no attribute of Envoy's tells it.
    pub(super) peer: bool,
    /// Messages of gRPC are counted.
    pub(super) messages: bool,
}

/// The filters of a listener, in order.
pub(super) fn chain(
    filters: Filters,
    http: &Http,
    beside: Beside,
    config: &Config,
    module_dir: &Path,
) -> Vec<HttpFilter> {
    let mut chain = Vec::new();
    chain.extend(beside.peer.then(source_ip));
    // Before ours, so that they see gRPC and its trailers.
    if http.grpc_web {
        chain.push(HttpFilter::new("envoy.filters.http.grpc_web", Any::GrpcWeb {}));
    }
    // Istio asks servers before it looks at tokens.
    chain.extend(beside.guard);
    chain.extend(modules(filters).iter().map(|module| wasm(*module, config, module_dir)));
    if beside.names || http.traffic == Traffic::Outbound(Unknown::PassThrough) {
        let filter = Any::DynamicForwardProxyFilter { dns_cache_config: DNS_CACHE };
        chain.push(HttpFilter::new("envoy.filters.http.dynamic_forward_proxy", filter));
    }
    chain.extend(beside.messages.then(grpc_stats));
    chain.push(HttpFilter::new("envoy.filters.http.router", Any::Router {}));
    chain
}

/// Counts messages of gRPC for our metrics. It costs every request a microsecond or two.
pub(super) fn grpc_stats() -> HttpFilter {
    let filter = Any::GrpcStats { emit_filter_state: true, stats_for_all_methods: false };
    HttpFilter::new("envoy.filters.http.grpc_stats", filter)
}

/// Keeps the address of the TCP peer for the filters.
pub(super) fn source_ip() -> HttpFilter {
    let value = FilterStateValue {
        object_key: SOURCE_IP_KEY,
        factory_key: "envoy.string",
        format_string: FormatString::text("%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%"),
    };
    let filter = SetFilterState { on_request_headers: vec![value] };
    HttpFilter::new("envoy.filters.http.set_filter_state", Any::SetFilterState(filter))
}

fn wasm(module: Module, config: &Config, module_dir: &Path) -> HttpFilter {
    let resources = config.resources.iter().filter(|resource| reads(module, resource.kind));
    let config = Config { resources: resources.cloned().collect(), ..config.clone() };
    let file = LocalFile { filename: module_dir.join(module.file_name()) };
    plugin(module, &config, DataSource::Local(file))
}

/// The filter of a module, which gets all of `config`.
pub(super) fn plugin(module: Module, config: &Config, code: DataSource) -> HttpFilter {
    let name = module.file_name().trim_end_matches(".wasm").replacen('_', ".", 1);
    let plugin = PluginConfig {
        name: name.clone(),
        failure_policy: FailurePolicy::FailReload,
        vm_config: VmConfig { vm_id: "outrigger", runtime: "envoy.wasm.runtime.v8", code },
        configuration: Any::StringValue { value: Block(format!("{:#}\n", config.to_json())) },
    };
    HttpFilter::new(name, Any::Wasm { config: Box::new(plugin) })
}

/// Whether a module has a use for resources of this kind.
fn reads(module: Module, kind: Kind) -> bool {
    let services = SERVICES.contains(&kind);
    match module {
        Module::JwtAuthn => matches!(kind, Kind::RequestAuthentication | Kind::Gateway),
        Module::Authz => kind == Kind::AuthorizationPolicy || services,
        Module::Fault | Module::Router => kind == Kind::VirtualService || services,
        Module::Metrics => kind == Kind::Telemetry || services,
        Module::Suite => {
            services
                || [
                    Kind::AuthorizationPolicy,
                    Kind::RequestAuthentication,
                    Kind::Telemetry,
                    Kind::VirtualService,
                ]
                .contains(&kind)
        }
    }
}

/// What the filters of a listener get: who they are, and the resources of the kinds that some filter reads, without
/// policies for other proxies. Servers are asked by filters of Envoy's own.
pub(super) fn config(resources: &[Resource], proxy: &Proxy) -> Config {
    let read = resources
        .iter()
        .filter(|resource| reads(Module::Suite, resource.kind) && !authz::is_custom(resource))
        .filter(|resource| !is_stray(resource, proxy));
    Config { proxy: proxy.clone(), resources: read.map(without_endpoints).collect(), ..Config::default() }
}

/// What the filters get of a resource. Where a service is does not matter to them, and changes often; nor do health
/// checks, which are the annotations of these kinds.
pub(super) fn without_endpoints(resource: &Resource) -> Resource {
    const WHERE: [&str; 5] = ["endpoints", "location", "resolution", "subjectAltNames", "workloadSelector"];
    let mut resource = resource.clone();
    if matches!(resource.kind, Kind::DestinationRule | Kind::ServiceEntry) {
        resource.meta.annotations.clear();
    }
    if resource.kind == Kind::ServiceEntry
        && let Value::Mapping(fields) = &mut Arc::make_mut(&mut resource.node).value
        && let Some((_, spec)) = fields.iter_mut().find(|(key, _)| key.name == "spec")
        && let Value::Mapping(spec) = &mut spec.value
    {
        spec.retain(|(key, _)| !WHERE.contains(&key.name.as_str()));
    }
    resource
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peers_address_is_kept_before_our_filter() {
        let names = |peer| {
            let http = Http::all(Traffic::Gateway, Proxy::default());
            let beside = Beside { peer, ..Beside::default() };
            let chain = chain(Filters::Suite, &http, beside, &Config::default(), Path::new("/"));
            chain.into_iter().map(|filter| filter.name).collect::<Vec<_>>()
        };
        assert_eq!(names(false), ["outrigger", "envoy.filters.http.router"]);
        assert_eq!(
            names(true),
            ["envoy.filters.http.set_filter_state", "outrigger", "envoy.filters.http.router"]
        );
    }
}
