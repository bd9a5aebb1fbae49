//! What docs/telemetry.md shows works as pasted.

use std::path::Path;
use std::process::{Command, Output};

use outrigger_e2e::launch::outrigger;

/// The block of YAML that begins with this line.
fn block(first: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/telemetry.md");
    let text = std::fs::read_to_string(file).unwrap();
    let mut blocks = text.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.find(|block| block.starts_with(first)).unwrap_or_else(|| panic!("no block `{first}`")).to_owned()
}

fn succeeds(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let said = text(&output.stdout) + &text(&output.stderr);
    assert!(output.status.success(), "{said}");
    said
}

#[test]
fn the_example_passes_analysis_and_envoy_takes_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("mesh.yaml"), block("# mesh.yaml")).unwrap();
    std::fs::write(at("telemetry.yaml"), block("# telemetry.yaml")).unwrap();
    std::fs::write(at("shop.yaml"), SHOP).unwrap();
    let files = ["-f", "telemetry.yaml", "-f", "shop.yaml", "--mesh-config", "mesh.yaml"];
    let run = |arguments: &[&str]| {
        let command =
            Command::new(outrigger().unwrap()).args(arguments).args(files).current_dir(&folder).output();
        succeeds(&command.unwrap())
    };
    let said = run(&["analyze"]);
    assert!(said.contains("no findings"), "{said}");
    run(&["render", "--to", "envoy", "-o", "out"]);
    let envoy = std::env::var_os("ENVOY_BIN").expect("run through ./makew");
    let envoy =
        Command::new(envoy).args(["--mode", "validate", "-c", "envoy.yaml"]).current_dir(at("out")).output();
    succeeds(&envoy.unwrap());
    let text = std::fs::read_to_string(at("out").join("envoy.yaml")).unwrap();
    for part in [
        "envoy.tracers.opentelemetry",
        "envoy.access_loggers.open_telemetry",
        "path: /dev/stderr",
        "path: /dev/stdout",
        "expression: response.code >= 400 || 'x-debug' in request.headers",
        "value: 10",
        "name: x-tenant",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

const SHOP: &str = "apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec: {hosts: ['*'], gateways: [edge], http: [{directResponse: {status: 200}}]}
";
