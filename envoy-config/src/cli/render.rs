//! `outrigger render`

mod manifests;
mod output;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use self::manifests::ManifestFlags;
use super::input::{InputOptions, Paths};
use super::render_flags::{RenderFlags, check_and_render};
use crate::Exit;
use crate::proxy_options::ProxyOptions;

const EXAMPLES: &str = "\
Examples:
  outrigger render -f istio/ -o out && envoy -c out/envoy.yaml
  outrigger render -f istio/ -o out --at /etc/envoy --port 80=8080
  docker run -v $PWD/out:/etc/envoy -p 8080:8080 envoyproxy/envoy:v1.40.0

  outrigger render --to envoy --snippet -f istio/ --modules authz
  outrigger render --to wasmplugin -f istio/ --namespace istio-system \\
      --image 'oci://registry.example/outrigger-{module}:0.1.0' | kubectl apply --server-side -f -
  outrigger render --to envoy-gateway -f istio/ --target-ref Gateway/edge \\
      --url 'https://files.example/{file}' -o policy.yaml

Exit codes:
  0  written
  1  the resources have errors, or can't be carried out there
  2  wrong usage, or a file can't be read
  3  the output can't be written, or this build has no modules";

/// Write what `run` would load, or what loads our filters into a proxy that others configure
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Render {
    #[command(flatten)]
    paths: Paths,

    #[command(flatten)]
    input: InputOptions,

    /// For whom
    #[arg(long, value_enum, default_value_t = Target::Envoy)]
    to: Target,

    /// The folder to write, made if it is not there; for manifests and snippets also a file that ends in .yaml [default for
    /// these: standard output]
    #[arg(short = 'o', long = "output", value_name = "DIR|FILE")]
    output: Option<PathBuf>,

    /// Where that folder will stand for Envoy, such as /etc/envoy in a container [default: where it is]
    #[arg(long, value_name = "PATH")]
    at: Option<PathBuf>,

    #[command(flatten)]
    manifests: ManifestFlags,

    #[command(flatten)]
    envoy: RenderFlags,

    #[command(flatten)]
    proxy: ProxyOptions,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Target {
    /// Envoy with files alone: DIR/envoy.yaml and what it names. With --snippet the filters for an Envoy of your own
    Envoy,
    /// A cluster with istiod: WasmPlugin, and EnvoyFilter for what Istio has no resource for
    #[value(name = "wasmplugin")]
    WasmPlugin,
    /// A cluster with Envoy Gateway: EnvoyExtensionPolicy
    EnvoyGateway,
}

impl Target {
    fn name(self) -> &'static str {
        match self {
            Self::Envoy => "envoy",
            Self::WasmPlugin => "wasmplugin",
            Self::EnvoyGateway => "envoy-gateway",
        }
    }
}

impl Render {
    /// Checks, renders and writes.
    pub fn execute(mut self) -> Exit {
        self.input.add(std::mem::take(&mut self.paths));
        if let Some(wrong) = self.wrong_flag() {
            super::complain(&wrong);
            return Exit::Usage;
        }
        match (self.to, self.manifests.snippet) {
            (Target::Envoy, false) => self.folder(),
            _ => self.documents(),
        }
    }

    /// A flag without effect is refused: whoever gives it expects one.
    fn wrong_flag(&self) -> Option<String> {
        if let Some(wrong) = self.manifests.wrong_for(self.to) {
            return Some(wrong);
        }
        let whole = self.to == Target::Envoy && !self.manifests.snippet;
        let flag = self
            .envoy
            .of_a_whole_envoy()
            .or((!self.proxy.app_ports.is_empty()).then_some("--app-port"))
            .or((self.at.is_some() && !self.manifests.snippet).then_some("--at"))
            .or((self.envoy.maps_ports() && self.to != Target::WasmPlugin).then_some("--port"));
        flag.filter(|_| !whole).map(|flag| format!("`{flag}` is for `--to envoy` without `--snippet`"))
    }

    fn folder(&self) -> Exit {
        let Some(output) = &self.output else {
            super::complain(
                &"`--to envoy` writes a folder: add `-o DIR`, or `--snippet` for the filters alone",
            );
            return Exit::Usage;
        };
        let Some((loaded, mesh)) = self.input.read() else { return Exit::Usage };
        let proxy = self.proxy.proxy(&mesh.mesh);
        let module_dir = match self.seen_by_envoy(output) {
            Ok(folder) => folder,
            Err(error) => {
                super::complain(&format!("can't tell where `{}` is: {error}", output.display()));
                return Exit::Environment;
            }
        };
        if module_dir.to_str().is_none() {
            super::complain(&format_args!(
                "`{}` is not UTF-8, so that Envoy's configuration can't name it",
                module_dir.display()
            ));
            return Exit::Usage;
        }
        let identity = match self.envoy.identity(None) {
            Ok(identity) => identity,
            Err(error) => {
                super::complain(&error);
                return Exit::Usage;
            }
        };
        let options = self.envoy.options(&self.proxy, &mesh.mesh, &module_dir, identity);
        let rendered = match check_and_render(&loaded, &mesh, &proxy, &options) {
            Ok(rendered) => rendered,
            Err(exit) => return exit,
        };
        match rendered.write(output) {
            Ok(()) => Exit::Success,
            Err(error) => {
                super::complain(&error);
                Exit::Environment
            }
        }
    }

    /// Envoy resolves paths against its working folder, so ours is made absolute.
    fn seen_by_envoy(&self, output: &Path) -> std::io::Result<PathBuf> {
        self.at.as_deref().map_or_else(|| std::path::absolute(output), |at: &Path| Ok(at.to_owned()))
    }
}
