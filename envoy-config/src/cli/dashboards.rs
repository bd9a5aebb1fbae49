//! `outrigger dashboards`

use std::path::{Path, PathBuf};

use clap::Args;

use super::{complain, note};
use crate::Exit;
use crate::dashboards::{File, files};

const EXAMPLES: &str = "\
Examples:
  outrigger dashboards -o monitoring/
  outrigger dashboards -o monitoring/ && promtool check rules monitoring/prometheus/*.yaml

Exit codes:
  0  written
  2  wrong usage
  3  the folder can't be written";

/// Write dashboards for Grafana, and recording and alerting rules for Prometheus
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Dashboards {
    /// The folder to write, made if it is not there: DIR/grafana/*.json and DIR/prometheus/*.yaml
    #[arg(short = 'o', long = "output", value_name = "DIR")]
    output: PathBuf,
}

impl Dashboards {
    /// Writes each file.
    pub fn execute(&self) -> Exit {
        let files = match files() {
            Ok(files) => files,
            Err(error) => {
                complain(&error);
                return Exit::Environment;
            }
        };
        for file in &files {
            if let Err(error) = write(&self.output, file) {
                complain(&format!("can't write `{}`: {error}", self.output.join(file.path).display()));
                return Exit::Environment;
            }
        }
        let folder = self.output.display();
        note(&format!(
            "`{folder}/grafana` has the dashboards to import, `{folder}/prometheus` the files for `rule_files`"
        ));
        Exit::Success
    }
}

fn write(folder: &Path, file: &File) -> std::io::Result<()> {
    let path = folder.join(file.path);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    std::fs::write(path, &file.text)
}
