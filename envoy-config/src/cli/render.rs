//! `outrigger render`

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::input::InputOptions;
use super::render_flags::{RenderFlags, check_and_render};
use crate::Exit;
use crate::proxy_options::ProxyOptions;

const EXAMPLES: &str = "\
Examples:
  outrigger render -f istio/ -o out && envoy -c out/envoy.yaml
  outrigger render -f istio/ -o out --at /etc/envoy --port 80=8080
  docker run -v $PWD/out:/etc/envoy -p 8080:8080 envoyproxy/envoy:v1.40.0

Exit codes:
  0  written
  1  the resources have errors
  2  wrong usage, or a file can't be read
  3  the folder can't be written, or this build has no modules";

/// Write what `run` would load: a bootstrap for Envoy and the modules that it names
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Render {
    #[command(flatten)]
    input: InputOptions,

    /// For whom
    #[arg(long, value_enum, default_value_t = Target::Envoy)]
    to: Target,

    /// The folder to write, made if it is not there
    #[arg(short = 'o', long = "output", value_name = "DIR")]
    output: PathBuf,

    /// Where that folder will stand for Envoy, such as /etc/envoy in a container [default: where it is]
    #[arg(long, value_name = "PATH")]
    at: Option<PathBuf>,

    #[command(flatten)]
    envoy: RenderFlags,

    #[command(flatten)]
    proxy: ProxyOptions,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Target {
    /// Envoy with files alone: DIR/envoy.yaml and what it names
    Envoy,
}

impl Render {
    /// Checks, renders and writes.
    pub fn execute(&self) -> Exit {
        let Some((loaded, mesh)) = self.input.read() else { return Exit::Usage };
        let Target::Envoy = self.to;
        let proxy = self.proxy.proxy(&mesh.mesh);
        let module_dir = match self.module_dir() {
            Ok(folder) => folder,
            Err(error) => {
                super::complain(&format!("can't tell where `{}` is: {error}", self.output.display()));
                return Exit::Environment;
            }
        };
        let options = match self.envoy.options(&self.proxy, &mesh.mesh, &module_dir, None) {
            Ok(options) => options,
            Err(error) => {
                super::complain(&error);
                return Exit::Usage;
            }
        };
        let rendered = match check_and_render(&loaded, &mesh, &proxy, &options) {
            Ok(rendered) => rendered,
            Err(exit) => return exit,
        };
        match rendered.write(&self.output) {
            Ok(()) => Exit::Success,
            Err(error) => {
                super::complain(&error);
                Exit::Environment
            }
        }
    }

    /// Envoy resolves paths against its working folder, so ours is made absolute.
    fn module_dir(&self) -> std::io::Result<PathBuf> {
        self.at.as_deref().map_or_else(|| std::path::absolute(&self.output), |at: &Path| Ok(at.to_owned()))
    }
}
