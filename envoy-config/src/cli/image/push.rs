//! `outrigger image push`

use clap::Args;

use super::choice::{Choice, distinct, tag};
use super::connection::Connection;
use super::report::{self, Made};
use super::{Failure, Form};
use crate::Exit;
use crate::image::registry::{RegistryError, Repository};
use crate::image::{Image, Reference, names};
use crate::modules::Module;

const EXAMPLES: &str = "\
Examples:
  outrigger image push registry.example/team/outrigger
  outrigger image push oci://localhost:5000/authz:stable --module authz
  echo \"$PASSWORD\" | outrigger image push registry.example/team/outrigger \\
      --username ann --password-stdin

A single module goes to the repository as it is written. Of several, the suite does, and the others go beside it:
registry.example/team/outrigger-authz and so on.

Exit codes:
  0  pushed, and the registry holds it by the digest that is printed
  1  the registry says that it holds something else
  2  wrong usage
  3  no modules to be had; the registry can't be reached, its certificate is not accepted, or it refuses;
     or the result can't be written";

/// Put images of the modules in a registry
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Push {
    /// Where to: HOST[:PORT]/REPOSITORY[:TAG], with `oci://` before it or not
    #[arg(value_name = "REFERENCE")]
    reference: Reference,

    #[command(flatten)]
    choice: Choice,

    /// The tag; repeatable [default: that of the reference, else the version of outrigger]
    #[arg(long = "tag", value_name = "TAG", value_parser = tag)]
    tags: Vec<String>,

    #[command(flatten)]
    connection: Connection,

    /// For people or for programs
    #[arg(short = 'o', long = "output", visible_alias = "format", value_enum, default_value_t = Form::Human)]
    output: Form,
}

impl Push {
    pub(super) fn execute(&self) -> Exit {
        match self.push() {
            Ok(made) => report::made(&made, self.output).then(Exit::Success),
            Err(failure) => failure.tell(),
        }
    }

    fn push(&self) -> Result<Vec<Made>, Failure> {
        if self.reference.digest.is_some() {
            return Err(Failure(
                Exit::Usage,
                "a digest is what a push results in\nhint: leave out `@sha256:…`".to_owned(),
            ));
        }
        let tags = self.tags()?;
        let images = self.choice.build()?;
        let alone = images.len() == 1;
        let registry = self.connection.to(&self.reference.registry)?;
        let push = |(module, image): &(Module, Image)| {
            let base = &self.reference.repository;
            let name = if alone { base.clone() } else { names::repository(base, *module) };
            let pushed = Repository::to_write(&registry, &name).push(image, &tags);
            pushed.map_err(|error| Failure(exit_of(&error), error.to_string()))?;
            let reference = |tag| format!("oci://{}/{name}:{tag}", self.reference.registry);
            Ok(Made::new(tags.iter().map(reference).collect(), *module, image))
        };
        images.iter().map(push).collect()
    }

    fn tags(&self) -> Result<Vec<String>, Failure> {
        match (&self.reference.tag, self.tags.is_empty()) {
            (Some(tag), true) => Ok(vec![tag.clone()]),
            (None, true) => Ok(vec![env!("CARGO_PKG_VERSION").to_owned()]),
            (None, false) => Ok(distinct(&self.tags)),
            (Some(tag), false) => {
                let why = format!(
                    "the tag is either in the reference or in `--tag`\nhint: add `--tag {tag}`, and leave it out of the reference"
                );
                Err(Failure(Exit::Usage, why))
            }
        }
    }
}

fn exit_of(error: &RegistryError) -> Exit {
    if matches!(error, RegistryError::OtherDigest { .. }) { Exit::Refused } else { Exit::Environment }
}
