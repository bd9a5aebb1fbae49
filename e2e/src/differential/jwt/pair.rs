//! One Envoy with both sides: for each configuration a listener with our filter, and one with Envoy's own.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use outrigger_api::Config;
use outrigger_core::{PolicyEngine, PolicySet};
use serde_json::{Value, json};

use super::super::answer::Answer;
use super::super::configuration::Configuration;
use super::super::connection::Connection;
use super::super::request::Request;
use super::super::upstream::Endpoint;
use super::generate::{LABELS, NAMESPACE, ROOT_NAMESPACE};
use super::reference;
use crate::bench::envoy::{Envoy, free_ports};

/// What every Envoy needs.
#[derive(Debug)]
pub(super) struct Setting {
    /// Where requests go.
    pub(super) upstream: Endpoint,
    /// The filter jwt-authn.
    pub(super) module: PathBuf,
    /// For Envoy's files.
    pub(super) folder: tempfile::TempDir,
}

/// A running Envoy.
#[derive(Debug)]
pub(in crate::differential) struct Pair {
    /// Ours and the native listener of each configuration, by its tag.
    listeners: BTreeMap<String, [SocketAddr; 2]>,
    _envoy: Envoy,
}

impl Pair {
    /// Starts one with all of `configurations`.
    pub(super) fn start(configurations: &[Configuration], setting: &Setting) -> Result<Self> {
        let [port] = free_ports()?;
        let (mut listeners, mut addresses) = (Vec::new(), BTreeMap::new());
        for (index, configuration) in configurations.iter().enumerate() {
            let [ours, native] = [1, 2].map(|side| address(side, index, port));
            listeners.push(listener(ours, Some(self::ours(configuration, setting))));
            listeners.push(listener(native, reference::filter(configuration)?));
            addresses.insert(configuration.tag.clone(), [ours, native]);
        }
        let bootstrap = json!({
            "node": {"id": "differential", "cluster": "differential"},
            "static_resources": {"listeners": listeners, "clusters": [cluster(&setting.upstream)]},
        });
        let envoy = Envoy::start("differential", &bootstrap, setting.folder.path(), None)?;
        Ok(Self { listeners: addresses, _envoy: envoy })
    }

    /// Connections for one thread.
    pub(super) fn connect(&self) -> Asker {
        let connections =
            |(tag, sides): (&String, &[SocketAddr; 2])| (tag.clone(), sides.map(Connection::new));
        Asker(self.listeners.iter().map(connections).collect())
    }
}

/// Connections to both sides of each configuration.
#[derive(Debug)]
pub(in crate::differential) struct Asker(BTreeMap<String, [Connection; 2]>);

impl Asker {
    /// What came of `request` on our side, on the native one, and on ours once more, where it is known by then.
    pub(super) fn ask(&mut self, configuration: &Configuration, request: &Request) -> Result<[Answer; 3]> {
        let [ours, native] =
            self.0.get_mut(&configuration.tag).context("a configuration of another Envoy")?;
        let bytes = request.to_bytes();
        let ask = |side: &mut Connection| side.send(&request.method, &bytes);
        Ok([ask(ours)?, ask(native)?, ask(ours)?])
    }
}

/// Why our side can't carry `configuration` out; `None` if it can. On the other side that is an error.
pub(super) fn refusal(configuration: &Configuration) -> Result<Option<String>> {
    reference::filter(configuration)?;
    let json = plugin(configuration).to_string();
    type Jwt = PolicyEngine<{ PolicySet::JWT.bits() }>;
    let compiled = Config::read(json.as_bytes(), &Jwt::decoders()).and_then(|config| Jwt::compile(&config));
    Ok(compiled.err().map(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")))
}

/// An address of its own on the loopback interface, so that all can share a port.
fn address(side: u8, index: usize, port: u16) -> SocketAddr {
    let [.., high, low] = index.to_be_bytes();
    SocketAddr::from((Ipv4Addr::new(127, side, high, low), port))
}

/// Our filter's configuration.
fn plugin(configuration: &Configuration) -> Value {
    let labels: BTreeMap<_, _> = LABELS.into_iter().collect();
    let proxy =
        json!({"role": "gateway", "namespace": NAMESPACE, "rootNamespace": ROOT_NAMESPACE, "labels": labels});
    json!({"proxy": proxy, "resources": configuration.resources})
}

fn ours(configuration: &Configuration, setting: &Setting) -> Value {
    let string = "type.googleapis.com/google.protobuf.StringValue";
    json!({
        "name": "outrigger",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": {
                "name": configuration.tag,
                "failure_policy": "FAIL_CLOSED",
                "vm_config": {
                    "vm_id": "outrigger",
                    "runtime": "envoy.wasm.runtime.v8",
                    "code": {"local": {"filename": setting.module}},
                },
                "configuration": {"@type": string, "value": plugin(configuration).to_string()},
            },
        },
    })
}

/// A gateway's listener, as istiod sets one up as far as that matters here.
fn listener(address: SocketAddr, filter: Option<Value>) -> Value {
    let router = json!({
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
    });
    let filters: Vec<_> = filter.into_iter().chain([router]).collect();
    let route = json!({"match": {"prefix": "/"}, "route": {"cluster": CLUSTER, "timeout": "0s"}});
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "differential",
        "use_remote_address": true,
        "normalize_path": true,
        "path_with_escaped_slashes_action": "KEEP_UNCHANGED",
        "stream_idle_timeout": "0s",
        "http_filters": filters,
        "local_reply_config": {"mappers": [{
            "filter": {"status_code_filter": {
                "comparison": {"op": "GE", "value": {"default_value": 400, "runtime_key": "differential.least_status"}},
            }},
            "headers_to_add": [{"header": {"key": DETAILS, "value": "%RESPONSE_CODE_DETAILS%"}}],
        }]},
        "route_config": {"virtual_hosts": [{"name": "any", "domains": ["*"], "routes": [route]}]},
    });
    json!({
        "name": address.to_string(),
        "address": {"socket_address": {"address": address.ip(), "port_value": address.port()}},
        "filter_chains": [{"filters": [{
            "name": "envoy.filters.network.http_connection_manager", "typed_config": manager,
        }]}],
    })
}

/// The header that tells why Envoy, or a filter, has answered itself.
pub(super) const DETAILS: &str = "x-details";

const CLUSTER: &str = "upstream";

fn cluster(upstream: &Endpoint) -> Value {
    let address = json!({"socket_address": {"address": "127.0.0.1", "port_value": upstream.real}});
    json!({
        "name": CLUSTER, "type": "STATIC", "connect_timeout": "10s",
        "load_assignment": {
            "cluster_name": CLUSTER, "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
        },
    })
}
