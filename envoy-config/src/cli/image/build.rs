//! `outrigger image build`

use std::path::PathBuf;

use clap::Args;

use super::choice::{Choice, distinct, tag};
use super::report::{self, Made};
use super::{Failure, Form};
use crate::Exit;
use crate::image::layout::{LayoutError, Named, write};
use crate::image::names;

const EXAMPLES: &str = "\
Examples:
  outrigger image build -o images/
  outrigger image build -o authz.tar --module authz --layout docker --tag stable
  SOURCE_DATE_EPOCH=1700000000 outrigger image build -o images/ --revision 4f2a9c1 --format json

The same module gives the same digests each time. No date is in an image unless SOURCE_DATE_EPOCH gives one.

Exit codes:
  0  written
  2  wrong usage, or a folder that holds something else
  3  no modules to be had, or a file or the result can't be written";

/// Write images of the modules as an OCI image layout
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Build {
    /// The folder of the layout, made if it is not there, or with .tar at its end an archive. A folder that is a layout
    /// keeps its other images
    #[arg(short = 'o', long = "output", value_name = "DIR|FILE.tar")]
    output: PathBuf,

    #[command(flatten)]
    choice: Choice,

    /// The tag of each image; repeatable [default: the version of outrigger]
    #[arg(long = "tag", value_name = "TAG", value_parser = tag)]
    tags: Vec<String>,

    /// For people or for programs
    #[arg(long, value_enum, default_value_t = Form::Human)]
    format: Form,
}

impl Build {
    pub(super) fn execute(&self) -> Exit {
        match self.build() {
            Ok(made) => report::made(&made, self.format).then(Exit::Success),
            Err(failure) => failure.tell(),
        }
    }

    fn build(&self) -> Result<Vec<Made>, Failure> {
        let images = self.choice.build()?;
        let version = [env!("CARGO_PKG_VERSION").to_owned()];
        let tags = distinct(if self.tags.is_empty() { version.as_slice() } else { &self.tags });
        let names = |module| tags.iter().map(move |tag| format!("{}:{tag}", names::image(module)));
        let named: Vec<_> = images
            .iter()
            .flat_map(|(module, image)| names(*module).map(move |name| Named { name, image }))
            .collect();
        write(&named, &self.output).map_err(|error| Failure(exit_of(&error), error.to_string()))?;
        Ok(images.iter().map(|(module, image)| Made::new(names(*module).collect(), *module, image)).collect())
    }
}

fn exit_of(error: &LayoutError) -> Exit {
    if matches!(error, LayoutError::Write { .. }) { Exit::Environment } else { Exit::Usage }
}
