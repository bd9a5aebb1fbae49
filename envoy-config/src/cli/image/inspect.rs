//! `outrigger image inspect`

use std::path::{Path, PathBuf};

use clap::Args;

use super::connection::Connection;
use super::{Failure, Form, report};
use crate::Exit;
use crate::image::inspect::Inspection;
use crate::image::layout::{Entry, Stored};
use crate::image::registry::Repository;
use crate::image::source::SourceError;
use crate::image::{Digest, Reference};

const EXAMPLES: &str = "\
Examples:
  outrigger image inspect registry.example/team/outrigger:0.1.0
  outrigger image inspect images/ -o json
  outrigger image inspect authz.tar:outrigger-authz:stable \\
      --sha256 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef

Exit codes:
  0  a proxy can load it by Istio's fetcher or Envoy Gateway's, and it is what --sha256 says
  1  it can't, or it is something else; the reason is printed
  2  wrong usage, or a file that can't be read
  3  the registry can't be reached, its certificate is not accepted, or it refuses or has no such image;
     or the result can't be written";

/// Say what a proxy would load from an image, and check every blob of it
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Inspect {
    /// An image in a registry, with `oci://` before it or not; or an OCI image layout, DIR or FILE.tar, with all its images
    /// or `:NAME` behind it
    #[arg(value_name = "IMAGE")]
    image: String,

    /// What the manifest has to be, as `sha256` of a WasmPlugin has it
    #[arg(long, value_name = "HEX", value_parser = digest)]
    sha256: Option<Digest>,

    #[command(flatten)]
    connection: Connection,

    /// For people or for programs
    #[arg(short = 'o', long = "output", visible_alias = "format", value_enum, default_value_t = Form::Human)]
    output: Form,
}

impl Inspect {
    pub(super) fn execute(&self) -> Exit {
        match self.inspect() {
            Ok(seen) => {
                let accepted = seen.iter().all(|image| image.accepted);
                let exit = if accepted { Exit::Success } else { Exit::Refused };
                report::inspected(&seen, self.output).then(exit)
            }
            Err(failure) => failure.tell(),
        }
    }

    fn inspect(&self) -> Result<Vec<Inspection>, Failure> {
        match place(&self.image)? {
            Place::Registry(reference) => self.in_registry(&reference),
            Place::Layout(path, name) => self.in_layout(&path, name.as_deref()),
        }
    }

    fn in_registry(&self, reference: &Reference) -> Result<Vec<Inspection>, Failure> {
        let registry = self.connection.to(&reference.registry)?;
        let repository = Repository::to_read(&registry, &reference.repository);
        let seen = match repository.root(reference) {
            Ok(root) => Inspection::new(&root, &repository, self.sha256.as_ref()),
            Err(error) if error.is_of_image() => Ok(Inspection::broken(format!("oci://{reference}"), &error)),
            Err(error) => Err(error),
        };
        seen.map(|seen| vec![seen]).map_err(failed)
    }

    fn in_layout(&self, path: &Path, name: Option<&str>) -> Result<Vec<Inspection>, Failure> {
        let unreadable = |error: crate::image::layout::LayoutError| Failure(Exit::Usage, error.to_string());
        let stored = Stored::open(path).map_err(unreadable)?;
        let roots = stored.roots(name).map_err(unreadable)?;
        if self.sha256.is_some() && roots.len() > 1 {
            let why = format!(
                "`--sha256` is of one image, and `{}` has {}\nhint: put `:NAME` behind it",
                path.display(),
                roots.len()
            );
            return Err(Failure(Exit::Usage, why));
        }
        let look = |Entry { name, root }| match root {
            Ok(root) => Inspection::new(&root, &stored, self.sha256.as_ref()).map_err(failed),
            Err(error) if SourceError::is_of_image(&error) => Ok(Inspection::broken(name, &error)),
            Err(error) => Err(failed(error)),
        };
        roots.into_iter().map(look).collect()
    }
}

/// Where the image is.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    Registry(Reference),
    Layout(PathBuf, Option<String>),
}

/// A layout is what is there as a file or folder, by the longest such path.
fn place(text: &str) -> Result<Place, Failure> {
    let exists = |path: &str| Path::new(path).exists();
    if !text.starts_with("oci://") {
        if exists(text) {
            return Ok(Place::Layout(text.into(), None));
        }
        let split = text.rmatch_indices(':').filter_map(|(at, _)| text.split_at_checked(at));
        if let Some((path, name)) = split.into_iter().find(|(path, _)| exists(path)) {
            return Ok(Place::Layout(path.into(), Some(name.trim_start_matches(':').to_owned())));
        }
        let is_path = text.starts_with(['/', '.']) || text.ends_with('/') || text.contains(".tar");
        if is_path {
            return Err(Failure(Exit::Usage, format!("`{text}` is not there")));
        }
    }
    text.parse()
        .map(Place::Registry)
        .map_err(|error: crate::image::reference::BadReference| Failure(Exit::Usage, error.to_string()))
}

fn failed(error: SourceError) -> Failure {
    let exit = if matches!(error, SourceError::Layout(_)) { Exit::Usage } else { Exit::Environment };
    Failure(exit, error.to_string())
}

fn digest(text: &str) -> Result<Digest, String> {
    Digest::from_hex(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_a_layout_and_the_rest_is_in_a_registry() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tar");
        std::fs::write(&path, "").unwrap();
        let text = path.to_str().unwrap();
        let of = |text: &str| place(text).ok();
        assert_eq!(of(text), Some(Place::Layout(path.clone(), None)));
        let named = format!("{text}:outrigger:0.1.0");
        assert_eq!(of(&named), Some(Place::Layout(path.clone(), Some("outrigger:0.1.0".to_owned()))));
        for text in ["oci://localhost:5000/a:1", "localhost:5000/a:1"] {
            assert_eq!(of(text), Some(Place::Registry("localhost:5000/a:1".parse().unwrap())));
        }
        for text in ["./none", "/none/at/all:1", "none.tar", "none"] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
