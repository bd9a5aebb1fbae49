//! What a filter needs of the Envoy around it, where `outrigger` has not written that Envoy's configuration: looked at as
//! far as a filter can see it, and said once, with the lines to add.

use std::cell::Cell;

use outrigger_api::{Config, Spec};
use outrigger_core::header_names::CLUSTER;
use outrigger_core::route::Table;
use outrigger_core::{Attributes, PolicyEngine, PolicySet, Request};

use crate::abi;
use crate::connection::DIRECT_PEER;
use crate::property;

/// What `outrigger render` leaves in the node that it writes: everything is there.
const RENDERED: &[u8] = b"xds\0node\0metadata\0OUTRIGGER_VERSION";

/// Where the threads share what has been said, each line behind this.
const SAID: &[u8] = b"outrigger.said.";

const STATS_TAGS: &str = "metrics need `stats_tags` in the bootstrap's `stats_config`, or every set of labels is a metric of its \
                          own; a filter can't see them. `outrigger render --to envoy --snippet` prints them";
const HOPS: &str = "`remoteIpBlocks` and `remote.ip` need `use_remote_address: true` and `xff_num_trusted_hops: N` (trusted \
                    proxies) of the connection manager; a filter can't see them";
const NORMALIZATION: &str = "a path came with dot segments or backslashes: policies on paths can be got around. Add \
                             to the connection manager: `normalize_path: true`";
const NO_ROUTES: &str = "no VirtualService is for this proxy: that takes the Gateways which it names, with a selector for \
                         `proxy.labels`";
const PEER_ADDRESS: &str = "`ipBlocks` and `source.ip` let nobody in: the peer's address is not kept. Add in front \
                            `envoy.filters.http.set_filter_state`: `on_request_headers: [{object_key: \
                            outrigger.source_ip, factory_key: envoy.string, format_string: {text_format_source: \
                            {inline_string: \"%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%\"}}}]`";

/// The Envoy around a filter.
#[derive(Debug, Default)]
pub(crate) struct Surroundings {
    /// Whether requests are still looked at for each of these.
    path: Cell<bool>,
    peer_address: Cell<bool>,
    route: Cell<bool>,
}

impl Surroundings {
    /// Says which module this is, and what can be said before there is any request.
    pub(crate) fn new<const POLICIES: u8>(engine: &PolicyEngine<POLICIES>, config: &Config) -> Self {
        let has = |policy| PolicySet::contains_bits(POLICIES, policy);
        let line = format!("outrigger {} ({})", env!("CARGO_PKG_VERSION"), PolicySet::module_name(POLICIES));
        say(log::Level::Info, &line);
        if property::bytes(RENDERED).is_some() {
            return Self::default();
        }
        if has(PolicySet::METRICS) && engine.overrides().measures_any() {
            say(log::Level::Info, STATS_TAGS);
        }
        if engine.attributes().contains(Attributes::REMOTE_IP) {
            say(log::Level::Info, HOPS);
        }
        let routed = || config.resources.iter().any(|one| matches!(one.spec, Spec::VirtualService(_)));
        let looks = has(PolicySet::ROUTE) || has(PolicySet::FAULT);
        if looks && engine.routes().is_none_or(Table::is_empty) && routed() {
            say(log::Level::Warn, NO_ROUTES);
        }
        Self {
            path: Cell::new(!engine.is_idle() && (has(PolicySet::AUTHZ) || has(PolicySet::ROUTE))),
            peer_address: Cell::new(
                !config.proxy.client_is_peer && engine.attributes().contains(Attributes::SOURCE_IP),
            ),
            route: Cell::new(has(PolicySet::ROUTE) && engine.routes().is_some()),
        }
    }

    /// Looks at a request.
    pub(crate) fn on_request(&self, request: &Request<'_>) {
        if self.path.get() && request.has_dot_segments() {
            self.path.set(false);
            say(log::Level::Warn, NORMALIZATION);
        }
        if self.peer_address.take() && property::bytes(DIRECT_PEER).is_none() {
            say(log::Level::Warn, PEER_ADDRESS);
        }
    }

    /// Whether the cluster that a request was routed to is to be told by [`Self::on_response`].
    pub(crate) fn asks_for_route(&self) -> bool {
        self.route.get()
    }

    /// Looks at where a request went that was routed to `chosen`.
    pub(crate) fn on_response(&self, chosen: &str) {
        // Where no cluster was asked, another filter has answered.
        let Some(went) = property::text(b"xds\0cluster_name").filter(|_| self.route.take()) else { return };
        if *went != *chosen {
            let line = format!(
                "a request that was routed to cluster `{chosen}` went to `{went}`: Envoy's route has to follow the filter. \
                 Put first into the virtual host: `routes: [{{match: {{prefix: /}}, route: {{cluster_header: {CLUSTER}}}}}]`"
            );
            say(log::Level::Warn, &line);
        }
    }
}

/// Logs a line, unless some thread of this process has.
fn say(level: log::Level, line: &str) {
    let key = [SAID, line.as_bytes()].concat();
    if abi::shared_data(&key).is_err() && abi::set_shared_data(&key, b"1", abi::NOTHING_YET).is_ok() {
        log::log!(level, "{line}");
    }
}
