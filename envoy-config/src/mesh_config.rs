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
    explain_config_map(&mut problems);
    Ok(Parsed { mesh, problems, file: Some(SourceFile::new(&name, &text)) })
}

/// In a cluster it is a text within a ConfigMap: of one that is given as a whole, one thing is said instead of what is
/// wrong with each of its fields.
fn explain_config_map(problems: &mut Vec<Problem>) {
    let about = |problem: &Problem, field: &str| problem.path.to_string() == field;
    if ["kind", "data"].iter().all(|field| problems.iter().any(|problem| about(problem, field))) {
        problems.retain(|problem| about(problem, "kind"));
        for problem in problems {
            "this is a Kubernetes object, not a mesh configuration".clone_into(&mut problem.message);
            problem.hint = Some("of Istio's ConfigMap, give the text under `data.mesh`".to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_config_map_one_thing_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mesh.yaml");
        let read = |text: &str| {
            fs::write(&path, text).unwrap();
            read(&path).unwrap().problems
        };
        let problems = read(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio}\ndata:\n  mesh: |\n    trustDomain: a\n",
        );
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].is_error() && problems[0].hint.as_deref().unwrap().contains("`data.mesh`"));
        assert!(
            read("kind: 1\n").iter().all(|problem| problem.hint.as_deref() != problems[0].hint.as_deref())
        );
    }
}
