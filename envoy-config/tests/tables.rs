//! Tables of resources with what `analyze` says about each, below its place: those here are about several resources,
//! those of the decoder about fields. What is said must be the same in every form of output.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test may"
)]

mod common;
#[path = "../../filters/api/src/parse/tests/table.rs"]
mod table;

use std::fs;
use std::path::{Path, PathBuf};

use envoy_config::analyze::{self, Finding, human, sarif};
use envoy_config::load::Inputs;
use envoy_config::mesh_config;
use outrigger_api::{Proxy, Role};
use table::Said;

/// Istio's ingress gateway; for a table whose name begins with `sidecar` the sidecar of `app: reviews`.
fn proxy(table: &str) -> Proxy {
    let labels = |labels: &[(&str, &str)]| {
        labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    if table.starts_with("sidecar") {
        let labels = labels(&[("app", "reviews")]);
        return Proxy { role: Role::Sidecar, labels, workload: "reviews".to_owned(), ..Proxy::default() };
    }
    let labels = labels(&[("istio", "ingressgateway"), ("app", "istio-ingressgateway")]);
    Proxy { labels, workload: "istio-ingressgateway".to_owned(), ..Proxy::default() }
}

/// The mesh configuration of a table, if it has one.
fn mesh(table: &str) -> mesh_config::Parsed {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/meshes").join(format!("{table}.yaml"));
    if !file.exists() {
        return mesh_config::Parsed::default();
    }
    let mesh = mesh_config::read(&file).unwrap().mesh;
    mesh_config::Parsed { mesh, ..mesh_config::Parsed::default() }
}

/// What `analyze` finds in a file.
fn findings(text: &str, file: &Path, proxy: &Proxy, mesh: &mesh_config::Parsed) -> (Vec<Finding>, String) {
    fs::write(file, text).unwrap();
    let loaded = Inputs::new(vec![file.to_owned()], "default".to_owned()).load().unwrap();
    let findings = analyze::analyze(&loaded, proxy, mesh);
    let files: Vec<_> = loaded.files.iter().collect();
    let human = anstream::adapter::strip_str(&human::report(&findings, &files)).to_string();
    (findings, human)
}

fn said(finding: &Finding, folder: &Path) -> Said {
    let at = |number: Option<u32>| usize::try_from(number.unwrap()).unwrap();
    let level = finding.level.as_str().to_lowercase();
    let space = if finding.path.is_empty() { "" } else { " " };
    Said {
        place: finding.line.map(|_| (at(finding.line), at(finding.column))),
        text: format!("{level} {}{space}{}: {}", finding.code, finding.path, finding.message)
            .replace(&format!("{}/", folder.display()), ""),
        hint: finding.hint.clone(),
    }
}

/// The three forms of output say the same.
fn compare_outputs(findings: &[Finding], human: &str) {
    let results = sarif::log(findings)["runs"][0]["results"].clone();
    for (finding, result) in findings.iter().zip(results.as_array().unwrap()) {
        let level = finding.level.as_str().to_lowercase();
        assert!(human.contains(&format!("{level}[{}]: {}", finding.code, finding.message)), "{human}");
        if let (Some(line), Some(column)) = (finding.line, finding.column) {
            assert!(human.contains(&format!(":{line}:{column}\n")), "{line}:{column}\n{human}");
        }
        assert_eq!(
            (&result["ruleId"], &result["message"]["text"].as_str().unwrap().contains(&finding.message)),
            (&finding.code.into(), &true)
        );
        let region = &result["locations"][0]["physicalLocation"]["region"];
        assert_eq!(region["startLine"].as_u64(), finding.line.map(u64::from));
        assert_eq!(region["startColumn"].as_u64(), finding.column.map(u64::from));
    }
}

#[test]
fn findings_about_several_resources() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("row.yaml");
    let tables = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tables");
    for path in fs::read_dir(tables).unwrap().map(|entry| entry.unwrap().path()) {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let (proxy, mesh) = (proxy(name), mesh(name));
        let table = fs::read_to_string(&path).unwrap();
        let rewritten = table::rewrite(&table, |text| {
            let (findings, human) = findings(text, &file, &proxy, &mesh);
            compare_outputs(&findings, &human);
            findings.iter().map(|finding| said(finding, folder.path())).collect()
        });
        if std::env::var_os("UPDATE_TABLES").is_some() {
            fs::write(&path, &rewritten).unwrap();
            continue;
        }
        for (n, (line, expected)) in rewritten.lines().zip(table.lines()).enumerate() {
            assert_eq!(line, expected, "{name}.txt, line {}", n + 1);
        }
        assert_eq!(rewritten, table, "{name}.txt");
    }
}

/// The decoder's tables, by the command: each row is a file, and each refusal is said with its code, place and path.
#[test]
fn the_command_refuses_what_the_decoder_does() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../filters/api/src/parse/tests/tables");
    let mut tables: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    tables.sort();
    assert!(tables.len() >= 10);
    for path in tables {
        let table = fs::read_to_string(&path).unwrap();
        let files = tempfile::tempdir().unwrap();
        let mut row = 0;
        table::rewrite(&table, |text| {
            row += 1;
            fs::write(files.path().join(format!("{row:04}.yaml")), text).unwrap();
            Vec::new()
        });
        let folder = files.path().to_str().unwrap();
        let (code, found) = common::json(&["analyze", "-f", folder, "-o", "json"], "");
        assert_eq!(code, 1);
        let found = found.as_array().unwrap();
        let mut row = 0;
        let rewritten = table::rewrite(&table, |_| {
            row += 1;
            let file = format!("{row:04}.yaml");
            let of_row =
                found.iter().filter(|one| one["file"].as_str().is_some_and(|name| name.ends_with(&file)));
            let of_fields = of_row
                .filter(|one| ["IST0106", "IST0133", "IST0002"].contains(&one["code"].as_str().unwrap()));
            of_fields.map(said_in_json).collect()
        });
        let refusals = |table: &str| {
            let lines = table.lines().filter(|line| line.contains(" error IST0106"));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        // What only the engine can refuse is said beside.
        let said = refusals(&rewritten);
        let mut rest = said.iter();
        for refusal in refusals(&table) {
            assert!(rest.any(|said| *said == refusal), "{}: {refusal}\n{said:#?}", path.display());
        }
    }
}

fn said_in_json(finding: &serde_json::Value) -> Said {
    let number = |field: &str| finding[field].as_u64().map(|number| usize::try_from(number).unwrap());
    let text = |field: &str| finding[field].as_str().unwrap_or_default().to_owned();
    let (path, level) = (text("path"), text("level").to_lowercase());
    let space = if path.is_empty() { "" } else { " " };
    Said {
        place: number("line").zip(number("column")),
        text: format!("{level} {}{space}{path}: {}", text("code"), text("message")),
        hint: finding["hint"].as_str().map(str::to_owned),
    }
}
