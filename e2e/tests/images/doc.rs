//! What docs/images.md shows works as pasted, with a registry where it says there is one.

use std::path::Path;
use std::process::Command;

use outrigger_e2e::launch::outrigger;

use super::program;
use super::registry::Registry;

/// The commands of the document, in its order.
fn commands(text: &str) -> Vec<&str> {
    let blocks = text.split("```console\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.flat_map(str::lines).filter_map(|line| line.strip_prefix("$ ")).collect()
}

#[test]
fn the_commands_do_what_the_document_says() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/images.md");
    let text = std::fs::read_to_string(file).unwrap();
    let (registry, folder) = (Registry::open(), tempfile::tempdir().unwrap());
    let (outrigger, skopeo) = (outrigger().unwrap(), program("SKOPEO", "skopeo"));
    let mut run = 0;
    for line in commands(&text) {
        if line.contains("registry.example") {
            continue; // Nobody's. The login itself is tested beside this.
        }
        let line = line
            .replace("localhost:5000", &registry.image("").replace('/', ""))
            .replace("outrigger image", &format!("'{}' image", outrigger.display()))
            // Here it has no policy of the system's, and a registry without TLS.
            .replace(
                "skopeo copy",
                &format!("'{}' --insecure-policy copy --dest-tls-verify=false", skopeo.display()),
            );
        let output = Command::new("sh")
            .args(["-c", &line])
            .current_dir(&folder)
            .env("DOCKER_CONFIG", folder.path())
            .env_remove("SOURCE_DATE_EPOCH")
            .output()
            .unwrap();
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{line}: {}{}", said(&output.stdout), said(&output.stderr));
        run += 1;
    }
    assert_eq!(run, 7);
    // The plugin names an image that was pushed.
    let yaml = text.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let plugin: serde_json::Value = yaml_serde::from_str(yaml).unwrap();
    let url = plugin["spec"]["url"].as_str().unwrap().replace("localhost:5000/", &registry.image(""));
    let seen = super::command::image(&["inspect", &url]);
    assert_eq!(seen.code, 0, "{seen:?}");
    assert_eq!(plugin["spec"]["sha256"].as_str().unwrap().len(), 64);
}
