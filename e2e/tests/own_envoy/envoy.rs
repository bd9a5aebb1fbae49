//! An Envoy with a bootstrap of one's own.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use outrigger_e2e::client::Client;
use outrigger_e2e::ports::free_port;
use outrigger_e2e::services::Single;
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What stands in a bootstrap besides what every test has.
pub(crate) struct Setup {
    /// The HTTP filters before Envoy's router.
    pub(crate) filters: Vec<Value>,
    /// The routes; without any, everything goes to the cluster `httpbin`.
    pub(crate) routes: Option<Value>,
    /// More fields of the connection manager.
    pub(crate) manager: Value,
    /// The port of a cluster `modules`.
    pub(crate) modules: Option<u16>,
}

impl Setup {
    pub(crate) fn new(filters: impl IntoIterator<Item = Value>) -> Self {
        Self { filters: filters.into_iter().collect(), routes: None, manager: json!({}), modules: None }
    }
}

/// A running Envoy before an httpbin; both end with the value.
pub(crate) struct OwnEnvoy {
    pub(crate) client: Client,
    admin: Client,
    child: Child,
    log: PathBuf,
    _folder: TempDir,
    _httpbin: Single,
}

impl OwnEnvoy {
    /// Starts it, and returns once its administration interface answers.
    pub(crate) fn start(setup: &Setup) -> Self {
        let httpbin = Single::start("httpbin", "httpbin", "").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (port, admin) = (free_port().unwrap(), free_port().unwrap());
        let config = folder.path().join("envoy.json");
        let bootstrap = bootstrap(setup, port, admin, httpbin.port);
        std::fs::write(&config, serde_json::to_vec_pretty(&bootstrap).unwrap()).unwrap();
        let log = folder.path().join("envoy.log");
        let child = Command::new(std::env::var("ENVOY_BIN").unwrap_or_else(|_| "envoy".to_owned()))
            .args(["--concurrency", "2", "--disable-hot-restart", "--log-level", "info", "--config-path"])
            .arg(&config)
            .stderr(File::create(&log).unwrap())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let client = Client::new(format!("127.0.0.1:{port}"));
        let admin = Client::new(format!("127.0.0.1:{admin}"));
        let envoy = Self { client, admin, child, log, _folder: folder, _httpbin: httpbin };
        envoy.wait("its administration interface", || {
            envoy
                .admin
                .request("GET", "admin", "/server_info", &[])
                .is_ok_and(|seen| seen.status == Some(200))
        });
        envoy
    }

    /// The same, once its listener is open.
    pub(crate) fn serving(setup: &Setup) -> Self {
        let envoy = Self::start(setup);
        envoy.wait_until_serving();
        envoy
    }

    pub(crate) fn wait_until_serving(&self) {
        self.wait("its listener", || self.status("/get", &[]).is_some());
    }

    /// The status of a GET; `None`: nobody takes the connection.
    pub(crate) fn status(&self, path: &str, headers: &[(&str, &str)]) -> Option<u16> {
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.client.request("GET", "a.example", path, &headers).ok()?.status
    }

    /// Where its administration interface is.
    pub(crate) fn admin_address(&self) -> String {
        self.admin.address().to_owned()
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Waits for a line in its log.
    pub(crate) fn wait_for_log(&self, text: &str) {
        self.wait(&format!("`{text}` in the log"), || self.log().contains(text));
    }

    pub(crate) fn wait(&self, what: &str, is_there: impl Fn() -> bool) {
        let end = Instant::now() + PATIENCE;
        while !is_there() {
            assert!(Instant::now() < end, "{what} did not come: {}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for OwnEnvoy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A filter of ours with its configuration, as a person writes it; `code`: an `AsyncDataSource`.
pub(crate) fn wasm(name: &str, code: Value, configuration: &Value) -> Value {
    json!({
        "name": name,
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": {
                "name": name,
                "failure_policy": "FAIL_CLOSED",
                "vm_config": {"runtime": "envoy.wasm.runtime.v8", "code": code},
                "configuration": {
                    "@type": "type.googleapis.com/google.protobuf.StringValue",
                    "value": configuration.to_string(),
                },
            },
        },
    })
}

/// A module as a file.
pub(crate) fn local(file: &str) -> Value {
    json!({"local": {"filename": module(file)}})
}

/// Where the module with this file name is.
pub(crate) fn module(file: &str) -> PathBuf {
    let folder =
        std::env::var_os("OUTRIGGER_MODULES").expect("OUTRIGGER_MODULES is not set: run through ./makew");
    PathBuf::from(folder).join(file)
}

fn bootstrap(setup: &Setup, port: u16, admin: u16, httpbin: u16) -> Value {
    let address = |port: u16| json!({"socket_address": {"address": "127.0.0.1", "port_value": port}});
    let cluster = |name: &str, port: u16| {
        let endpoints = json!([{"lb_endpoints": [{"endpoint": {"address": address(port)}}]}]);
        json!({
            "name": name, "type": "STATIC", "connect_timeout": "1s",
            "load_assignment": {"cluster_name": name, "endpoints": endpoints},
        })
    };
    let router = json!({
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
    });
    let filters: Vec<_> = setup.filters.iter().cloned().chain([router]).collect();
    let to_httpbin = json!([{"match": {"prefix": "/"}, "route": {"cluster": "httpbin"}}]);
    let routes = setup.routes.clone().unwrap_or(to_httpbin);
    let mut manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "own", "http_filters": filters,
        "route_config": {"name": "own", "virtual_hosts": [{"name": "any", "domains": ["*"], "routes": routes}]},
    });
    for (field, value) in setup.manager.as_object().unwrap() {
        manager[field] = value.clone();
    }
    let network = json!({"name": "envoy.filters.network.http_connection_manager", "typed_config": manager});
    let mut clusters = vec![
        cluster("httpbin", httpbin),
        cluster("outbound|8000||httpbin.default.svc.cluster.local", httpbin),
    ];
    clusters.extend(setup.modules.map(|port| cluster("modules", port)));
    json!({
        "admin": {"address": address(admin)},
        "static_resources": {
            "listeners": [{"name": "own", "address": address(port), "filter_chains": [{"filters": [network]}]}],
            "clusters": clusters,
        },
    })
}
