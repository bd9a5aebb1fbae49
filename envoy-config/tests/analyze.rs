//! `outrigger analyze` from outside: findings, formats, exit codes.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may"
)]

mod common;

use common::{assert_golden, json, outcome};
use serde_json::Value;

const MISTAKES: &[&str] = &["analyze", "-f", "eight-mistakes"];

#[test]
fn eight_mistakes_are_all_named_for_people() {
    let (code, stdout, stderr) = outcome(MISTAKES, "");
    assert_eq!((code, stderr.as_str()), (1, ""));
    assert_golden("eight-mistakes.txt", &stdout);
}

#[test]
fn files_may_stand_alone() {
    let (code, stdout, stderr) = outcome(&["analyze", "eight-mistakes"], "");
    assert_eq!((code, stderr.as_str()), (1, ""));
    assert_golden("eight-mistakes.txt", &stdout);
    let (code, _, _) = outcome(&["analyze", "eight-mistakes/gateway.yaml", "absent.yaml"], "");
    assert_eq!(code, 2);
}

#[test]
fn eight_mistakes_are_all_named_with_their_positions() {
    let (code, findings) = json(&[MISTAKES, &["-o", "json"]].concat(), "");
    assert_eq!(code, 1);
    let findings = findings.as_array().unwrap();
    let fields =
        ["code", "column", "file", "hint", "kind", "level", "line", "message", "name", "namespace", "path"];
    for finding in findings {
        assert_eq!(finding.as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>(), fields);
    }
    // Each mistake is marked in its line by a comment: the finding must point at that line, and there is no other.
    let seen: Vec<String> = findings
        .iter()
        .map(|finding| {
            let file = finding["file"].as_str().unwrap();
            let text = std::fs::read_to_string(common::fixture(file)).unwrap();
            let line = usize::try_from(finding["line"].as_u64().unwrap()).unwrap();
            text.lines().nth(line - 1).unwrap().split("# ").nth(1).unwrap_or("unmarked").to_owned()
        })
        .collect();
    let mut numbers: Vec<_> =
        seen.iter().filter_map(|mark| mark.strip_prefix("mistake ")?.chars().next()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers.iter().collect::<String>(), "12345678", "{seen:#?}");
    assert!(findings.iter().all(|finding| finding["level"] == "Error"));
}

#[test]
fn sarif_points_at_the_same_places() {
    let (code, log) = json(&[MISTAKES, &["-o", "sarif"]].concat(), "");
    let (_, findings) = json(&[MISTAKES, &["-o", "json"]].concat(), "");
    assert_eq!((code, log["version"].as_str()), (1, Some("2.1.0")));
    let run = &log["runs"][0];
    assert_eq!(run["tool"]["driver"]["name"], "outrigger");
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 8);
    for (result, finding) in results.iter().zip(findings.as_array().unwrap()) {
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], finding["file"]);
        assert_eq!(place["region"]["startLine"], finding["line"]);
        assert_eq!(place["region"]["startColumn"], finding["column"]);
        assert_eq!((&result["ruleId"], &result["level"]), (&finding["code"], &Value::from("error")));
        let rule = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(run["tool"]["driver"]["rules"][rule]["id"], finding["code"]);
    }
}

#[test]
fn exit_codes_are_those_of_the_contract() {
    let gateway = std::fs::read_to_string(common::fixture("eight-mistakes/gateway.yaml")).unwrap();
    assert_eq!(outcome(&["analyze", "-f", "-"], &gateway).0, 0);
    assert_eq!(outcome(&["analyze", "-f", "-"], "kind: [").0, 1);
    for wrong in [
        &["analyze"][..],
        &["analyze", "-f", "absent.yaml"],
        &["analyze", "-f", "-", "--role", "x"],
        &["bad"],
    ] {
        let (code, stdout, stderr) = outcome(wrong, &gateway);
        assert_eq!((code, stdout.as_str()), (2, ""), "{wrong:?}");
        assert!(!stderr.is_empty());
    }
    let (_, _, stderr) = outcome(&["analyze", "-f", "absent.yaml", "-f", "gone/"], "");
    assert!(stderr.contains("`absent.yaml`") && stderr.contains("`gone/`"), "{stderr}");
}

#[test]
fn a_folder_without_resource_files_is_no_silent_success() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("notes.txt"), "kind: Gateway").unwrap();
    let (code, _, stderr) = outcome(&["analyze", "-f", folder.path().to_str().unwrap()], "");
    assert_eq!(code, 2);
    assert!(stderr.contains("no *.yaml"), "{stderr}");
}

#[test]
fn files_named_twice_and_hidden_ones_are_read_once() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = std::fs::read_to_string(common::fixture("eight-mistakes/gateway.yaml")).unwrap();
    std::fs::create_dir_all(folder.path().join("..data")).unwrap();
    std::fs::create_dir_all(folder.path().join("sub")).unwrap();
    std::fs::write(folder.path().join("..data/gateway.yaml"), &gateway).unwrap();
    std::fs::write(folder.path().join("sub/gateway.yaml"), &gateway).unwrap();
    let (all, one) = (folder.path().to_str().unwrap(), folder.path().join("sub/gateway.yaml"));
    let (code, findings) = json(&["analyze", "-f", all, "-f", one.to_str().unwrap(), "-o", "json"], "");
    assert_eq!((code, findings), (0, serde_json::json!([])));
}

#[test]
fn a_resource_keeps_findings_about_itself_quiet() {
    let resource = |annotations: &str| {
        format!(
            "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: a, annotations: {{{annotations}}}}}\n\
             spec:\n  hosts: [a]\n  gateways: [absent]\n  http: [{{route: [{{destination: {{host: b}}}}]}}]\n"
        )
    };
    let codes = |annotations: &str| {
        let (_, findings) = json(&["analyze", "-f", "-", "-o", "json"], &resource(annotations));
        let codes =
            findings.as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap().to_owned());
        codes.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(codes(""), "IST0101 IST0101");
    assert_eq!(codes("galley.istio.io/analyze-suppress: 'IST0109, IST0101'"), "");
    assert_eq!(codes("galley.istio.io/analyze-suppress: '*'"), "");
    assert_eq!(codes("galley.istio.io/analyze-suppress: IST0109"), "IST0101 IST0101");
}

#[test]
fn kinds_that_are_not_ours_are_named_once() {
    let map = |name: &str| format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n---\n");
    let (code, findings) = json(&["analyze", "-f", "-", "-o", "json"], &(map("a") + &map("b")));
    let findings = findings.as_array().unwrap();
    assert_eq!((code, findings.len()), (0, 1), "{findings:#?}");
    assert_eq!(findings[0]["level"], "Info");
    assert!(findings[0]["message"].as_str().unwrap().contains("2 of them"));
}
