//! What the README shows works as pasted.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use outrigger_e2e::launch::outrigger;

/// The README's fenced blocks of `language` whose text contains `marker`.
fn block(language: &str, marker: &str) -> String {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let text = std::fs::read_to_string(readme).unwrap();
    let fence = format!("```{language}\n");
    let blocks = text.split(&fence).skip(1).filter_map(|rest| rest.split("```").next());
    let found: Vec<&str> = blocks.filter(|block| block.contains(marker)).collect();
    assert_eq!(found.len(), 1, "blocks of {language} with `{marker}`");
    found[0].to_owned()
}

fn succeeds(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn the_shop_passes_analysis_and_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("shop.yaml"), block("yaml", "# shop.yaml")).unwrap();
    let outrigger = outrigger().unwrap();
    let commands = block("console", "dist/outrigger analyze");
    let mut run = 0;
    for line in commands.lines().filter_map(|line| line.strip_prefix("$ dist/outrigger ")) {
        if line.starts_with("run ") {
            continue; // Serves until it is stopped; the other tests run it.
        }
        let script = format!("'{}' {line}", outrigger.display());
        let output = Command::new("sh").args(["-c", &script]).current_dir(folder.path()).output().unwrap();
        succeeds(&output);
        run += 1;
    }
    assert_eq!(run, 2);
}

#[test]
fn sidecars_come_to_the_mesh_as_pasted() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (Path::new(env!("CARGO_MANIFEST_DIR")).join("mesh"), folder.path().join("e2e/mesh"));
    std::fs::create_dir_all(to.join("istio")).unwrap();
    for file in ["compose.yaml", "istio/gateway.yaml", "istio/security.yaml"] {
        std::fs::copy(from.join(file), to.join(file)).unwrap();
    }
    let commands = block("console", "compose inject");
    let line = commands.lines().find_map(|line| line.strip_prefix("$ dist/outrigger ")).unwrap();
    let script = format!("'{}' {line}", outrigger().unwrap().display());
    succeeds(&Command::new("sh").args(["-c", &script]).current_dir(folder.path()).output().unwrap());
    let mesh = std::fs::read_to_string(to.join("compose.mesh.yaml")).unwrap();
    assert!(mesh.contains("b-sidecar:") && mesh.contains("./istio:/etc/outrigger/resources:ro"), "{mesh}");
}

#[test]
fn envoy_takes_the_filter_as_the_readme_loads_it() {
    let folder = tempfile::tempdir().unwrap();
    let modules = PathBuf::from(std::env::var_os("OUTRIGGER_MODULES").expect("run through ./makew"));
    let envoy = std::env::var_os("ENVOY_BIN").expect("run through ./makew");
    let filters = block("yaml", "vm_id: outrigger")
        .replace("/etc/envoy/outrigger.wasm", &modules.join("outrigger.wasm").display().to_string());
    let indented: String = filters.lines().map(|line| format!("          {line}\n")).collect();
    let bootstrap = format!(
        "static_resources:
  listeners:
  - name: any
    address: {{socket_address: {{address: 127.0.0.1, port_value: 0}}}}
    filter_chains:
    - filters:
      - name: hcm
        typed_config:
          \"@type\": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: any
          route_config: {{name: any, virtual_hosts: []}}
{indented}"
    );
    let file = folder.path().join("envoy.yaml");
    std::fs::write(&file, bootstrap).unwrap();
    let output = Command::new(envoy).args(["--mode", "validate", "-c"]).arg(&file).output().unwrap();
    succeeds(&output);
}
