//! Manifests and snippets beside what is expected, a folder each in `tests/manifests/cases`: the resources
//! (`resources.yaml`), the flags (`args`), and what comes of them: `expected.yaml` with `notes.txt`, or `refused.txt`. With
//! `BLESS=1` those are written. Each manifest is also held against the schema of its kind, and each filter's
//! configuration is read as the filter reads it.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test may"
)]

mod schema;
mod sizes;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use outrigger_api::Config;
use schema::Schema;
use serde::Deserialize as _;
use serde_json::Value;

const SCHEMAS: [&str; 4] = [
    include_str!("schemas/wasm_plugin.yaml"),
    include_str!("schemas/envoy_filter.yaml"),
    include_str!("schemas/envoy_extension_policy.yaml"),
    include_str!("schemas/config_map.yaml"),
];

/// What came of a case.
struct Outcome {
    code: i32,
    stdout: String,
    stderr: String,
}

/// A folder with modules whose checksums never change.
fn modules() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["", "_jwt_authn", "_authz", "_fault", "_router", "_metrics"] {
        let stamp = format!(
            "(@custom \"outrigger\" \"{{\\\"module\\\":\\\"outrigger{name}\\\",\\\"version\\\":\\\"0\\\"}}\")"
        );
        let bytes =
            wat::parse_str(format!("(module (func (export \"proxy_abi_version_0_2_1\")) {stamp})")).unwrap();
        fs::write(folder.path().join(format!("outrigger{name}.wasm")), bytes).unwrap();
    }
    folder
}

fn outrigger(folder: &Path, arguments: &[&str], modules: &Path) -> Outcome {
    let output = Command::new(env!("CARGO_BIN_EXE_outrigger"))
        .arg("render")
        .args(arguments)
        .current_dir(folder)
        .env("OUTRIGGER_MODULES", modules)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Outcome { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn documents(yaml: &str) -> Vec<Value> {
    yaml_serde::Deserializer::from_str(yaml).map(|document| Value::deserialize(document).unwrap()).collect()
}

/// Everything that is wrong with what was rendered.
fn wrong(yaml: &str, schemas: &[Schema]) -> Vec<String> {
    let mut wrong = Vec::new();
    for document in documents(yaml) {
        let configurations: Vec<String> = match document["kind"].as_str() {
            Some("WasmPlugin") => vec![document["spec"]["pluginConfig"].to_string()],
            Some("EnvoyExtensionPolicy") => document["spec"]["wasm"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["config"].to_string())
                .collect(),
            Some(_) => Vec::new(),
            // The filters of a snippet.
            None => {
                document["http_filters"].as_array().into_iter().flatten().filter_map(configuration).collect()
            }
        };
        for configuration in configurations {
            if let Err(problems) = Config::from_json(configuration.as_bytes()) {
                wrong.extend(problems.iter().map(ToString::to_string));
            }
        }
        if document.get("kind").is_some() {
            match schemas.iter().find(|schema| schema.is_for(&document)) {
                Some(schema) => wrong.extend(schema.check(&document)),
                None => wrong.push(format!("no schema for {}", document["kind"])),
            }
        }
    }
    wrong
}

fn configuration(filter: &Value) -> Option<String> {
    let plugin = &filter["typed_config"]["config"];
    plugin["configuration"]["value"].as_str().map(str::to_owned)
}

/// Holds a file against what is expected there. Without an expectation there must be no file.
fn compare(file: &Path, actual: Option<&str>, bless: bool) -> Option<String> {
    let actual = actual.filter(|text| !text.is_empty());
    if bless {
        match actual {
            Some(text) => fs::write(file, text).unwrap(),
            None if file.exists() => fs::remove_file(file).unwrap(),
            None => {}
        }
    }
    let expected = fs::read_to_string(file).ok();
    (expected.as_deref() != actual).then(|| {
        format!("{} differs (BLESS=1 rewrites it):\n{}", file.display(), actual.unwrap_or("nothing"))
    })
}

#[test]
fn what_is_rendered_is_what_is_expected() {
    let bless = std::env::var_os("BLESS").is_some();
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/manifests/cases");
    let mut cases: Vec<PathBuf> = fs::read_dir(cases).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    let modules = modules();
    let schemas = SCHEMAS.map(Schema::read);
    let (mut failures, mut rendered) = (Vec::new(), 0);
    for case in &cases {
        let name = case.file_name().unwrap().to_str().unwrap();
        let flags = fs::read_to_string(case.join("args")).unwrap();
        let arguments: Vec<_> =
            ["-f", "resources.yaml"].into_iter().chain(flags.split_whitespace()).collect();
        let Outcome { code, stdout, stderr } = outrigger(case, &arguments, modules.path());
        let failed = format!("exit code {code}\n{stderr}");
        let (expected, notes, refused) = match code {
            0 => (Some(stdout.as_str()), Some(stderr.as_str()), None),
            _ => (None, None, Some(failed.as_str())),
        };
        assert_eq!(name.starts_with("refused"), code != 0, "{name}: {failed}");
        if code == 0 {
            rendered += documents(&stdout).len();
            failures.extend(wrong(&stdout, &schemas).into_iter().map(|why| format!("{name}: {why}")));
        }
        for (file, actual) in [("expected.yaml", expected), ("notes.txt", notes), ("refused.txt", refused)] {
            failures.extend(compare(&case.join(file), actual, bless));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(rendered >= 30, "only {rendered} documents");
}

#[test]
fn documents_go_into_files_and_modules_beside_a_snippet() {
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/manifests/cases/wasmplugin-authz-ip-blocks");
    let (modules, folder) = (modules(), tempfile::tempdir().unwrap());
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let image = ["--image", "oci://r.example/outrigger-authz:1", "--namespace", "istio-system"];
    for output in [at("all.yaml"), at("plugins")] {
        let arguments = [&["-f", "resources.yaml", "--to", "wasmplugin", "-o", &output][..], &image].concat();
        let outcome = outrigger(&case, &arguments, modules.path());
        assert_eq!((outcome.code, outcome.stdout.as_str()), (0, ""), "{}", outcome.stderr);
    }
    assert_eq!(documents(&fs::read_to_string(at("all.yaml")).unwrap()).len(), 2);
    let mut files: Vec<_> = fs::read_dir(at("plugins"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, ["envoyfilter-outrigger.yaml", "wasmplugin-outrigger-authz.yaml"]);
    let snippet = at("snippet");
    let arguments =
        ["-f", "resources.yaml", "--to", "envoy", "--snippet", "--modules", "authz", "-o", &snippet];
    assert_eq!(outrigger(&case, &arguments, modules.path()).code, 0);
    let filters = documents(&fs::read_to_string(at("snippet/http-filters.yaml")).unwrap());
    let file =
        &filters[0]["http_filters"][1]["typed_config"]["config"]["vm_config"]["code"]["local"]["filename"];
    assert!(fs::read(file.as_str().unwrap()).unwrap().starts_with(b"\0asm"), "{file}");
}
