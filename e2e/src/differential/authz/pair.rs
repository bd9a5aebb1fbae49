//! One Envoy with both sides: for each configuration a listener with our filters, and one with Envoy's own.

use std::collections::{BTreeMap, HashMap};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use serde_json::json;

use super::answer::Answer;
use super::configuration::Configuration;
use super::connection::Connection;
use super::peers::Peers;
use super::placed::Place;
use super::proxy::Proxy;
use super::request::Request;
use super::upstream::Endpoint;
use super::wire::Wire;
use super::{listener, ours, reference, words};
use crate::bench::envoy::{Envoy, free_ports};

/// What every Envoy needs.
#[derive(Debug)]
pub(super) struct Setting {
    /// Where requests go.
    pub(super) upstream: Endpoint,
    pub(super) modules: PathBuf,
    pub(super) peers: Arc<Peers>,
    /// For Envoy's files.
    pub(super) folder: tempfile::TempDir,
}

/// A running Envoy.
#[derive(Debug)]
pub(in crate::differential) struct Pair {
    /// Ours and the native listener of each configuration, by its tag.
    places: Arc<BTreeMap<String, [Place; 2]>>,
    peers: Arc<Peers>,
    _envoy: Envoy,
}

impl Pair {
    /// Starts one with all of `configurations`.
    pub(super) fn start(configurations: &[Configuration], setting: &Setting) -> Result<Self> {
        let [one, two, three, four] = free_ports()?;
        let (mut listeners, mut places) = (Vec::new(), BTreeMap::new());
        for (index, configuration) in configurations.iter().enumerate() {
            let proxy = Proxy::of(configuration);
            // Both sides have the same addresses, and ports of their own.
            let [ours, native] =
                [[one, two], [three, four]].map(|ports| Place { addresses: addresses(index), ports });
            let filters = ours::filters(&ours.put_into(configuration), &setting.modules);
            listeners.push(listener::listener(&ours, &proxy, filters, setting.peers.files()));
            let filters = reference::filters(&native.put_into(configuration))?;
            listeners.push(listener::listener(&native, &proxy, filters, setting.peers.files()));
            places.insert(configuration.tag.clone(), [ours, native]);
        }
        let bootstrap = json!({
            "node": {"id": "differential", "cluster": "differential"},
            "static_resources": {"listeners": listeners, "clusters": [listener::cluster(setting.upstream.real)]},
        });
        let envoy = Envoy::start("differential", &bootstrap, setting.folder.path(), None)?;
        Ok(Self { places: Arc::new(places), peers: Arc::clone(&setting.peers), _envoy: envoy })
    }

    /// The first address of both sides of the configuration with this tag.
    pub(super) fn addresses(&self, tag: &str) -> Option<[SocketAddr; 2]> {
        let first = |place: &Place| SocketAddr::from((place.addresses[0], place.ports[0]));
        self.places.get(tag).map(|[ours, native]| [first(ours), first(native)])
    }

    /// Connections for one thread.
    pub(super) fn connect(&self) -> Asker {
        Asker {
            places: Arc::clone(&self.places),
            peers: Arc::clone(&self.peers),
            tag: String::new(),
            open: HashMap::new(),
        }
    }
}

/// Addresses of its own on the loopback interface for each listener, so that all can share ports.
fn addresses(index: usize) -> [Ipv4Addr; 2] {
    let [.., high, low] = index.to_be_bytes();
    [1, 2].map(|which| Ipv4Addr::new(127, which, high, low))
}

/// Connections to both sides of the configuration that is asked just now.
#[derive(Debug)]
pub(in crate::differential) struct Asker {
    places: Arc<BTreeMap<String, [Place; 2]>>,
    peers: Arc<Peers>,
    tag: String,
    open: HashMap<(SocketAddr, Wire), Connection>,
}

impl Asker {
    /// What came of `request` on our side, and on the native one.
    pub(super) fn ask(&mut self, configuration: &Configuration, request: &Request) -> Result<[Answer; 2]> {
        if self.tag != configuration.tag {
            self.open.clear();
            self.tag.clone_from(&configuration.tag);
        }
        let places = *self.places.get(&self.tag).context("a configuration of another Envoy")?;
        let bytes = request.to_bytes();
        let [ours, native] =
            places.map(|place| self.connection(&place, request).send(&request.method, &bytes));
        Ok([ours?, native?])
    }

    fn connection(&mut self, place: &Place, request: &Request) -> &mut Connection {
        let port = words::PORTS.iter().position(|port| *port == request.port).unwrap_or(0);
        let ip = place.addresses[usize::from(request.wire.second_address)];
        let address = SocketAddr::from((ip, place.ports[port]));
        let (peers, wire) = (Arc::clone(&self.peers), request.wire.clone());
        self.open
            .entry((address, wire.clone()))
            .or_insert_with(|| Connection::by(Box::new(move || peers.connect(address, &wire))))
    }
}
