//! The file of Istio's MeshConfig.

use std::fs;
use std::path::Path;

use outrigger_api::{Problem, parse_mesh_config};

pub use outrigger_api::types::mesh_config::{
    AccessLogEncoding, MeshConfig, OutboundTraffic, PathNormalization,
};

use crate::load::{SourceFile, Unreadable};

/// What was read from a file.
#[derive(Debug, Default)]
pub struct Parsed {
    /// The configuration, defaults in place of what is wrong.
    pub mesh: MeshConfig,
    /// What is wrong, and what is not carried out.
    pub problems: Vec<Problem>,
    /// The file, for messages.
    pub file: Option<SourceFile>,
}

/// Reads a file.
///
/// # Errors
/// It can't be read. What is wrong with the content is in [`Parsed::problems`].
pub fn read(path: &Path) -> Result<Parsed, Unreadable> {
    let text = fs::read(path).map_err(|error| Unreadable { path: path.to_owned(), error })?;
    let name = path.display().to_string();
    let (mesh, mut problems) = parse_mesh_config(&text, &name);
    explain_whole(&mut problems);
    Ok(Parsed { mesh, problems, file: Some(SourceFile::new(&name, &text)) })
}

/// In a cluster it is a part of something else. Of that, given as a whole, one thing is said instead of what is wrong with
/// each of its fields.
fn explain_whole(problems: &mut Vec<Problem>) {
    let has = |field: &str| problems.iter().any(|problem| problem.path.to_string() == field);
    let (field, message, hint) = if has("kind") {
        let hint = match (has("data"), has("spec")) {
            (true, _) => "of Istio's ConfigMap, give the text under `data.mesh`",
            (_, true) => "of an IstioOperator, give what stands under `spec.meshConfig`",
            _ => "give Istio's MeshConfig alone, such as `trustDomain: example.com`",
        };
        ("kind", "this is a Kubernetes object, not a mesh configuration", hint)
    } else if has("meshConfig") {
        (
            "meshConfig",
            "these are values for Istio's chart, not a mesh configuration",
            "give what stands under `meshConfig`",
        )
    } else {
        return;
    };
    problems.retain(|problem| problem.path.to_string() == field);
    for problem in problems {
        message.clone_into(&mut problem.message);
        problem.hint = Some(hint.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_whole_that_it_is_a_part_of_one_thing_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mesh.yaml");
        let object = "apiVersion: v1\nkind: ";
        for (text, hint) in [
            (
                format!(
                    "{object}ConfigMap\nmetadata: {{name: istio}}\ndata:\n  mesh: |\n    trustDomain: a\n"
                ),
                "`data.mesh`",
            ),
            (
                format!("{object}IstioOperator\nspec: {{meshConfig: {{trustDomain: a}}}}\n"),
                "`spec.meshConfig`",
            ),
            (format!("{object}Gateway\nmetadata: {{name: a}}\n"), "MeshConfig alone"),
            ("meshConfig: {trustDomain: a}\nglobal: {}\n".to_owned(), "under `meshConfig`"),
        ] {
            fs::write(&path, &text).unwrap();
            let problems = read(&path).unwrap().problems;
            let [problem] = &problems[..] else { panic!("{text}: {problems:?}") };
            assert!(problem.is_error() && problem.hint.as_deref().unwrap().contains(hint), "{problem:?}");
        }
    }
}
