//! Modules by remote code: nothing passes before the right module is there, whatever the server does.

use std::time::{Duration, Instant};

use envoy_config::image::Digest;
use outrigger_e2e::ports::free_port;
use serde_json::{Value, json};

use super::envoy::{OwnEnvoy, Setup, module, wasm};
use super::module_server::{ModuleServer, Serves};

/// The modules that stand between a client and a service, a configuration by which each refuses something, and what it
/// refuses with.
fn cases() -> [(&'static str, Value, u16); 2] {
    let keys = include_str!("../../keys/jwks.json");
    [
        (
            "outrigger_authz.wasm",
            gateway(&json!([{
                "apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy", "metadata": {"name": "closed"},
                "spec": {"action": "DENY", "rules": [{"to": [{"operation": {"paths": ["/headers"]}}]}]},
            }])),
            403,
        ),
        (
            "outrigger_jwt_authn.wasm",
            gateway(&json!([{
                "apiVersion": "security.istio.io/v1", "kind": "RequestAuthentication", "metadata": {"name": "tokens"},
                "spec": {"jwtRules": [{"issuer": "me", "jwks": keys}]},
            }])),
            401,
        ),
    ]
}

fn gateway(resources: &Value) -> Value {
    json!({"proxy": {"role": "gateway", "workload": "edge", "namespace": "default"}, "resources": resources})
}

/// What each is asked for, and refuses.
const REFUSED: (&str, &[(&str, &str)]) = ("/headers", &[("authorization", "Bearer no.token.this")]);

/// Remote code as our documents recommend it, with so many retries.
fn remote(sha256: &Digest, retries: u32) -> Value {
    json!({"remote": {
        "http_uri": {"uri": "http://modules.example/module.wasm", "cluster": "modules", "timeout": "10s"},
        "sha256": sha256.hex(),
        "retry_policy": {
            "num_retries": retries,
            "retry_back_off": {"base_interval": "0.1s", "max_interval": "0.5s"},
        },
    }})
}

/// An Envoy that fetches `file` from `port`.
fn fetching(file: &str, configuration: &Value, port: u16, sha256: &Digest, retries: u32) -> OwnEnvoy {
    let filter = wasm(file.trim_end_matches(".wasm"), remote(sha256, retries), configuration);
    OwnEnvoy::start(&Setup { modules: Some(port), ..Setup::new([filter]) })
}

/// Watches for a while that no request is answered by the service behind.
fn nothing_passes(envoy: &OwnEnvoy, case: &str) {
    let end = Instant::now() + Duration::from_secs(2);
    while Instant::now() < end {
        let status = envoy.status("/get", &[]);
        assert!(matches!(status, None | Some(503)), "{case}: {status:?}: {}", envoy.log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn every_module_is_loaded_from_a_server_by_its_checksum() {
    for file in [
        "outrigger.wasm",
        "outrigger_authz.wasm",
        "outrigger_fault.wasm",
        "outrigger_jwt_authn.wasm",
        "outrigger_metrics.wasm",
        "outrigger_router.wasm",
    ] {
        let (bytes, port) = (std::fs::read(module(file)).unwrap(), free_port().unwrap());
        let checksum = Digest::of(&bytes);
        let server = ModuleServer::start(port, bytes, Serves::All);
        let envoy = fetching(file, &gateway(&json!([])), port, &checksum, 3);
        envoy.wait_until_serving();
        assert_eq!(envoy.status("/get", &[]), Some(200), "{file}: {}", envoy.log());
        assert_eq!(server.asked(), 1, "{file}");
    }
}

#[test]
fn what_is_not_the_module_is_never_run_and_the_right_one_is_once_the_server_has_it() {
    for (file, configuration, refused) in cases() {
        let bytes = std::fs::read(module(file)).unwrap();
        let checksum = Digest::of(&bytes);
        for serves in [Serves::Another, Serves::Half] {
            let port = free_port().unwrap();
            let server = ModuleServer::start(port, bytes.clone(), serves);
            let envoy = fetching(file, &configuration, port, &checksum, u32::MAX);
            envoy.wait("a second attempt", || server.asked() > 1);
            let case = format!("{file}, {serves:?}");
            nothing_passes(&envoy, &case);
            server.serve(Serves::All);
            envoy.wait_until_serving();
            assert_eq!(envoy.status("/get", &[]), Some(200), "{case}");
            assert_eq!(envoy.status(REFUSED.0, REFUSED.1), Some(refused), "{case}");
        }
    }
}

#[test]
fn a_server_that_is_down_at_start_is_waited_for() {
    for (file, configuration, refused) in cases() {
        let bytes = std::fs::read(module(file)).unwrap();
        let port = free_port().unwrap();
        let envoy = fetching(file, &configuration, port, &Digest::of(&bytes), u32::MAX);
        nothing_passes(&envoy, file);
        let _server = ModuleServer::start(port, bytes, Serves::All);
        envoy.wait_until_serving();
        assert_eq!(envoy.status("/get", &[]), Some(200), "{file}");
        assert_eq!(envoy.status(REFUSED.0, REFUSED.1), Some(refused), "{file}");
    }
}

#[test]
fn without_retries_left_every_request_is_refused() {
    for (file, configuration, _) in cases() {
        let bytes = std::fs::read(module(file)).unwrap();
        let port = free_port().unwrap();
        let _server = ModuleServer::start(port, bytes, Serves::All);
        let envoy = fetching(file, &configuration, port, &Digest::of(b"something else"), 1);
        envoy.wait_until_serving();
        nothing_passes(&envoy, file);
        assert_eq!(envoy.status("/get", &[]), Some(503), "{file}");
        let log = envoy.log();
        for line in
            ["Retry limit exceeded", &format!("Plugin {} failed to load", file.trim_end_matches(".wasm"))]
        {
            assert!(log.contains(line), "{file}: {log}");
        }
    }
}
