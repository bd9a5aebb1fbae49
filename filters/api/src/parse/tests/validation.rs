//! What Istio's validation says about every field, as tables: see [`super::table`].

use std::{fs, path::Path};

use super::table::{self, Said};
use crate::{Problem, parse_yaml};

/// Tables in the folder beside this file.
const TABLES: [&str; 10] = [
    "authorization_policy",
    "destination_rule",
    "gateway",
    "policies",
    "service_entry",
    "telemetry_sidecar",
    "virtual_service_action",
    "virtual_service_match",
    "virtual_service_route",
    "virtual_service_top",
];

fn said(problem: &Problem) -> Said {
    let path = problem.path.to_string();
    let space = if path.is_empty() { "" } else { " " };
    Said {
        place: problem.position.map(|at| (at.line.try_into().unwrap(), at.column.try_into().unwrap())),
        text: format!("{} {}{space}{path}: {}", problem.severity, problem.code, problem.message),
        hint: problem.hint.clone(),
    }
}

#[test]
fn every_row_of_the_tables() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/parse/tests/tables");
    for name in TABLES {
        let file = folder.join(format!("{name}.txt"));
        let table = fs::read_to_string(&file).unwrap();
        let rewritten = table::rewrite(&table, |resource| {
            let parsed = parse_yaml(resource.as_bytes(), "row.yaml", "default");
            let refused = parsed.problems.iter().any(Problem::is_error);
            assert_eq!(parsed.resources.len(), usize::from(!refused), "{resource}\n{:#?}", parsed.problems);
            parsed.problems.iter().map(said).collect()
        });
        if std::env::var_os("UPDATE_TABLES").is_some() {
            fs::write(&file, &rewritten).unwrap();
            continue;
        }
        for (n, (line, expected)) in rewritten.lines().zip(table.lines()).enumerate() {
            assert_eq!(line, expected, "{name}.txt, line {}", n + 1);
        }
        assert_eq!(rewritten, table, "{name}.txt");
    }
}

#[test]
fn a_virtual_service_has_a_row_for_each_rule() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/parse/tests/tables");
    let tables = TABLES.iter().filter(|name| name.starts_with("virtual_service"));
    let rows = tables.map(|name| fs::read_to_string(folder.join(format!("{name}.txt"))).unwrap());
    let refused = rows.map(|table| table.split("\n\n").filter(|row| row.contains(" error IST0106 ")).count());
    let refused: usize = refused.sum();
    assert!(refused >= 120, "{refused} rows with a refusal");
}
