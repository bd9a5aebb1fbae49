//! `outrigger run`

use std::path::{Path, PathBuf};

use clap::Args;

use super::input::InputOptions;
use super::render_flags::{RenderFlags, check_and_render};
use crate::Exit;
use crate::load::Inputs;
use crate::proxy_options::ProxyOptions;
use crate::render::Rendered;
use crate::run::{RunOptions, Source, run};

const EXAMPLES: &str = "\
Examples:
  outrigger run -f istio/ --port 80=8080
  outrigger run -f istio/ --port 443=8443 --credentials certificates/
  outrigger run -f istio/ --role sidecar --label app=reviews --app-port 9080
  outrigger run -f istio/ --port 80=8080 --image envoyproxy/envoy:v1.40.0

Exit codes:
  0  stopped by you (Ctrl-C, SIGTERM)
  1  the resources have errors
  2  wrong usage, or a file can't be read
  3  no Envoy, no modules, or a port that is taken";

/// Run Envoy with the resources; a change of a file is taken over without a lost request
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Run {
    #[command(flatten)]
    input: InputOptions,

    #[command(flatten)]
    render: RenderFlags,

    /// The Envoy to run [default: $ENVOY_BIN, else `envoy` on the PATH]
    #[arg(long, value_name = "PATH", help_heading = "Envoy", conflicts_with = "image")]
    envoy: Option<PathBuf>,

    /// Run Envoy as a container of this image
    #[arg(long, value_name = "REF", help_heading = "Envoy")]
    image: Option<String>,

    /// What Envoy logs: trace, debug, info, warning, error, critical, off [default: warning]
    #[arg(long, value_name = "LEVEL", help_heading = "Envoy",
        value_parser = ["trace", "debug", "info", "warning", "error", "critical", "off"], hide_possible_values = true)]
    envoy_log_level: Option<String>,

    /// Worker threads of Envoy [default: one a core]
    #[arg(long, value_name = "N", help_heading = "Envoy", value_parser = clap::value_parser!(u32).range(1..))]
    concurrency: Option<u32>,

    #[command(flatten)]
    proxy: ProxyOptions,
}

impl Run {
    /// Runs until the user stops it.
    pub fn execute(self) -> Exit {
        let options = RunOptions {
            envoy: self.envoy.clone(),
            image: self.image.clone(),
            log_level: self.envoy_log_level.clone(),
            concurrency: self.concurrency,
        };
        let files = Files { inputs: self.input.inputs(), flags: self };
        run(&files, &options)
    }
}

/// The files of the command line, read again on each change.
struct Files {
    inputs: Inputs,
    flags: Run,
}

impl Source for Files {
    fn render(&self, module_dir: &Path) -> Result<Rendered, Exit> {
        let (loaded, mesh) = self.flags.input.read_from(&self.inputs).ok_or(Exit::Usage)?;
        let proxy = self.flags.proxy.proxy(&mesh.mesh);
        let options =
            self.flags.render.options(&self.flags.proxy, &mesh.mesh, module_dir).map_err(|error| {
                super::complain(&error);
                Exit::Usage
            })?;
        check_and_render(&loaded, &mesh, &proxy, &options)
    }

    fn watched(&self) -> Vec<PathBuf> {
        let files = self.inputs.watched().map(Path::to_owned);
        files.chain(self.flags.input.mesh_config.clone()).chain(self.flags.render.watched()).collect()
    }
}
