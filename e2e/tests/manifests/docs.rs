//! What docs/kubernetes.md and docs/envoy.md show works as pasted.

use std::path::Path;
use std::process::Command;

use outrigger_e2e::launch::outrigger;
use outrigger_e2e::ports::free_port;

use super::documents::read;
use super::envoy::Envoy;

fn document(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name)).unwrap()
}

/// The block of YAML that begins with this line.
fn block(document: &str, first: &str) -> String {
    let mut blocks = document.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.find(|block| block.starts_with(first)).unwrap_or_else(|| panic!("no block `{first}`")).to_owned()
}

/// Runs each `outrigger render` of a document in `folder`, and says how many there were.
fn run(document: &str, folder: &Path) -> usize {
    let commands = document.lines().filter_map(|line| line.strip_prefix("$ outrigger render "));
    let mut count = 0;
    for command in commands {
        let script = format!("'{}' render {command}", outrigger().unwrap().display());
        let output = Command::new("sh").args(["-c", &script]).current_dir(folder).output().unwrap();
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
        count += 1;
    }
    count
}

#[test]
fn objects_for_clusters() {
    let (document, folder) = (document("kubernetes.md"), tempfile::tempdir().unwrap());
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("members.yaml"), block(&document, "# members.yaml")).unwrap();
    assert_eq!(run(&document, folder.path()), 3);
    for (file, kind) in [
        ("plugins.yaml", "WasmPlugin"),
        ("plugins/wasmplugin-outrigger-authz.yaml", "WasmPlugin"),
        ("policy.yaml", "EnvoyExtensionPolicy"),
    ] {
        let objects = read(&std::fs::read_to_string(at(file)).unwrap());
        assert!(objects.len() == 1 && objects[0]["kind"] == kind, "{file}: {objects:?}");
    }
}

#[test]
fn an_envoy_of_ones_own() {
    let (document, folder) = (document("envoy.md"), tempfile::tempdir().unwrap());
    let port = free_port().unwrap();
    // The port of the document may be taken here.
    let here = |text: String| text.replace("8080", &port.to_string());
    std::fs::write(folder.path().join("members.yaml"), here(block(&document, "# members.yaml"))).unwrap();
    assert_eq!(run(&document, folder.path()), 2);
    let pasted = |line: &str| {
        let Some(file) = line.trim_start().strip_prefix("# snippet/").and_then(|rest| rest.split(',').next())
        else {
            return format!("{line}\n");
        };
        let indent = line.len() - line.trim_start().len();
        let text = std::fs::read_to_string(folder.path().join("snippet").join(file)).unwrap();
        text.lines().map(|line| format!("{:indent$}{line}\n", "")).collect()
    };
    let envoy: String = here(block(&document, "# envoy.yaml")).lines().map(pasted).collect();
    let envoy = Envoy::start_as_written(&envoy, port);
    assert_eq!(envoy.get("/", &[]).status, Some(200));
    assert_eq!(envoy.get("/admin/users", &[]).status, Some(403));
    let one = std::fs::read_to_string(folder.path().join("snippet.yaml")).unwrap();
    assert_eq!(read(&one).len(), 2);
}
