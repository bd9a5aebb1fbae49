//! What decides about a rendered configuration besides the resources.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use outrigger_api::MetricLimits;

use crate::envoy::cluster::Locality;
use crate::identity::Identity;
use crate::mesh_config::MeshConfig;

/// The port where a sidecar's application sends its requests.
pub const OUTBOUND_PORT: u16 = 15001;
/// The port where a sidecar takes requests for its application.
pub const INBOUND_PORT: u16 = 15006;

/// Flags of `render` and `run`.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// `--port 80=8080`: where to listen in place of a port that the resources name.
    pub ports: BTreeMap<u16, u16>,
    /// `--bind`. `None`: every address, and the loopback address for a sidecar's outbound listener.
    pub bind: Option<IpAddr>,
    /// `--outbound-bind`: where a sidecar's outbound listener listens in place of `bind`.
    pub outbound_bind: Option<IpAddr>,
    /// `--app-host`: where a sidecar's application is. `None`: on this machine.
    pub app_host: Option<String>,
    /// `--admin`
    pub admin: SocketAddr,
    /// `--filters`
    pub filters: Filters,
    /// `--app-port`: where a sidecar's application listens. Empty: nothing comes in through the sidecar but what a
    /// Sidecar's `ingress` says.
    pub app_ports: Vec<AppPort>,
    /// `--probe-port`: where Envoy answers whether the proxy is ready. `None`: nowhere.
    pub probe_port: Option<u16>,
    /// `--app-probe`: what can be asked of the application there.
    pub app_probes: Vec<AppProbe>,
    /// The folder where Envoy finds the modules and the secrets: as Envoy sees it, which differs from ours in a container.
    pub module_dir: PathBuf,
    /// `--certs`: who this proxy is to the rest of the mesh. `None`: it has no certificate.
    pub identity: Option<Identity>,
    /// `--credentials`: what `credentialName` names and no Secret holds.
    pub credentials: Option<PathBuf>,
    /// `--locality`: where this proxy runs. Empty: nobody has said it.
    pub locality: Locality,
    /// `--decision-header`: the response header that tells clients what has been decided. `None`: nobody is told.
    pub decision_header: Option<String>,
    /// `--max-series`: how much is measured.
    pub metrics: MetricLimits,
    /// `--mesh-config`
    pub mesh: MeshConfig,
}

/// A port of a sidecar's application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppPort {
    /// The port, on 127.0.0.1 unless `--app-host` says otherwise.
    pub port: u16,
    /// Where the sidecar takes requests for it, before `--port` maps it.
    pub opened: u16,
}

/// A question that the application answers without a certificate of whoever asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppProbe {
    /// Its path, with the slash.
    pub path: String,
    /// Where the application is.
    pub host: String,
    /// The application's port.
    pub port: u16,
}

/// Values of `--filters`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Filters {
    /// All five policies in one filter.
    #[default]
    Suite,
    /// A filter for each.
    Separate,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            ports: BTreeMap::new(),
            bind: None,
            outbound_bind: None,
            app_host: None,
            admin: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 15000),
            filters: Filters::default(),
            app_ports: Vec::new(),
            probe_port: None,
            app_probes: Vec::new(),
            module_dir: PathBuf::from("."),
            identity: None,
            credentials: None,
            locality: Locality::default(),
            decision_header: None,
            metrics: MetricLimits::default(),
            mesh: MeshConfig::default(),
        }
    }
}

impl Options {
    /// Where a sidecar's application is.
    pub(super) fn application_host(&self) -> String {
        self.app_host.clone().unwrap_or_else(|| Ipv4Addr::LOCALHOST.to_string())
    }

    /// Where to listen for what the resources call `port`.
    pub(crate) fn mapped(&self, port: u16) -> u16 {
        self.ports.get(&port).copied().unwrap_or(port)
    }
}
