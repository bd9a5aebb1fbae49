//! A small Envoy that somebody has written by hand.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use outrigger_e2e::client::Client;
use outrigger_e2e::ports::free_port;
use outrigger_e2e::tally::Seen;
use serde_json::{Value, json};

/// How long it may take until it serves.
const PATIENCE: Duration = Duration::from_secs(90);

/// What is put into its configuration.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    /// Before the router.
    pub(crate) filters: Vec<Value>,
    /// Fields of the HttpConnectionManager.
    pub(crate) manager: Value,
    /// Before a route that answers 200.
    pub(crate) routes: Vec<Value>,
    pub(crate) clusters: Vec<Value>,
    /// Fields of the bootstrap.
    pub(crate) bootstrap: Value,
}

/// It ends with this value.
pub(crate) struct Envoy {
    child: Child,
    client: Client,
    admin: Client,
    _folder: tempfile::TempDir,
}

impl Envoy {
    /// Starts it, and waits until it serves.
    pub(crate) fn start(parts: Parts) -> Self {
        let (port, admin) = (free_port().unwrap(), free_port().unwrap());
        Self::run(&bootstrap(parts, port, admin).to_string(), port, admin)
    }

    /// The same with a bootstrap in YAML that listens on `port`, and says nothing of an admin interface.
    pub(crate) fn start_as_written(bootstrap: &str, port: u16) -> Self {
        let admin = free_port().unwrap();
        Self::run(&format!("{bootstrap}admin: {{address: {}}}\n", address(admin)), port, admin)
    }

    fn run(bootstrap: &str, port: u16, admin: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // JSON is YAML too.
        let file = folder.path().join("envoy.yaml");
        std::fs::write(&file, bootstrap).unwrap();
        let child = Command::new(std::env::var_os("ENVOY_BIN").expect("run through ./makew"))
            .args(["--concurrency", "2", "--disable-hot-restart", "--log-level", "error", "--config-path"])
            .arg(&file)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let client = |port: u16| Client::new(format!("127.0.0.1:{port}"));
        let mut envoy = Self { child, client: client(port), admin: client(admin), _folder: folder };
        let started = Instant::now();
        while !envoy.is_ready() {
            let ended = envoy.child.try_wait().unwrap();
            assert!(ended.is_none(), "Envoy ended with {ended:?}");
            assert!(started.elapsed() < PATIENCE, "Envoy does not serve");
            std::thread::sleep(Duration::from_millis(50));
        }
        envoy
    }

    fn is_ready(&self) -> bool {
        let ready = self.admin.request("GET", "admin", "/ready", &[]);
        ready.is_ok_and(|answer| answer.status == Some(200))
    }

    /// Sends a request.
    pub(crate) fn get(&self, path: &str, headers: &[(&str, &str)]) -> Seen {
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.client.request("GET", "shop.example", path, &headers).unwrap()
    }

    /// All statistics, as Prometheus gets them.
    pub(crate) fn metrics(&self) -> String {
        self.admin.request("GET", "admin", "/stats/prometheus?usedonly", &[]).unwrap().body
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A cluster of one address on this machine.
pub(crate) fn cluster(name: &str, port: u16) -> Value {
    let endpoints = json!([{"lb_endpoints": [{"endpoint": {"address": address(port)}}]}]);
    json!({
        "name": name, "type": "STATIC", "connect_timeout": "5s",
        "load_assignment": {"cluster_name": name, "endpoints": endpoints},
    })
}

fn address(port: u16) -> Value {
    json!({"socket_address": {"address": "127.0.0.1", "port_value": port}})
}

fn bootstrap(parts: Parts, port: u16, admin: u16) -> Value {
    let Parts { mut filters, manager, mut routes, clusters, bootstrap } = parts;
    filters.push(json!({
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
    }));
    routes.push(json!({"match": {"prefix": "/"}, "direct_response": {"status": 200}}));
    let host = json!({"name": "any", "domains": ["*"], "routes": routes});
    let manager = merged(
        json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "hand_written",
            "http_filters": filters,
            "route_config": {"name": "any", "virtual_hosts": [host]},
        }),
        manager,
    );
    let network = json!({"name": "envoy.filters.network.http_connection_manager", "typed_config": manager});
    merged(
        json!({
            "admin": {"address": address(admin)},
            "static_resources": {
                "listeners": [{"name": "any", "address": address(port), "filter_chains": [{"filters": [network]}]}],
                "clusters": clusters,
            },
        }),
        bootstrap,
    )
}

fn merged(mut into: Value, more: Value) -> Value {
    if let Value::Object(more) = more {
        into.as_object_mut().unwrap().extend(more);
    }
    into
}
