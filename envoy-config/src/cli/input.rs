//! Flags that every command has: what to read, and for which proxy.

use std::path::PathBuf;

use clap::Args;
use outrigger_api::Proxy;

use crate::load::{Inputs, Loaded, SourceFile};
use crate::mesh_config;
use crate::proxy_options::ProxyOptions;

/// What a command that only looks is about.
#[derive(Debug, Clone, Args)]
pub struct Subject {
    #[command(flatten)]
    input: InputOptions,

    #[command(flatten)]
    proxy: ProxyOptions,
}

/// What a [`Subject`] names, as it was read.
#[derive(Debug)]
pub struct Read {
    /// The resources.
    pub loaded: Loaded,
    /// The mesh configuration.
    pub mesh: mesh_config::Parsed,
    /// The proxy they are for.
    pub proxy: Proxy,
}

impl Subject {
    /// Reads everything. `None`: something can't be read, and standard error says what.
    pub fn read(&self) -> Option<Read> {
        let (loaded, mesh) = self.input.read()?;
        let proxy = self.proxy.proxy(&mesh.mesh);
        Some(Read { loaded, mesh, proxy })
    }
}

impl Read {
    /// Every file there is, to show lines of.
    pub fn files(&self) -> Vec<&SourceFile> {
        self.loaded.files.iter().chain(&self.mesh.file).collect()
    }
}

/// What to read.
#[derive(Debug, Clone, Args)]
pub struct InputOptions {
    /// A file, a folder (its *.yaml, *.yml and *.json, at any depth), or `-` for standard input; repeatable
    #[arg(short = 'f', long = "file", value_name = "PATH", required = true)]
    pub files: Vec<PathBuf>,

    /// Namespace of resources that name none
    #[arg(short = 'n', long = "default-namespace", value_name = "NS", default_value = "default")]
    pub default_namespace: String,

    /// Istio's MeshConfig, as YAML
    #[arg(long, value_name = "FILE")]
    pub mesh_config: Option<PathBuf>,
}

impl InputOptions {
    /// What `-f` and `-n` name.
    pub fn inputs(&self) -> Inputs {
        Inputs::new(self.files.clone(), self.default_namespace.clone())
    }

    /// Reads the mesh configuration, if there is one. `None`: it can't be read, and standard error says why.
    pub fn mesh(&self) -> Option<mesh_config::Parsed> {
        match self.mesh_config.as_deref().map(mesh_config::read) {
            None => Some(mesh_config::Parsed::default()),
            Some(Ok(mesh)) => Some(mesh),
            Some(Err(unreadable)) => {
                super::complain(&unreadable);
                None
            }
        }
    }

    /// Reads everything. `None`: something can't be read, and standard error says what.
    pub fn read(&self) -> Option<(Loaded, mesh_config::Parsed)> {
        self.read_from(&self.inputs())
    }

    /// As [`Self::read`], again from inputs that were read before.
    pub fn read_from(&self, inputs: &Inputs) -> Option<(Loaded, mesh_config::Parsed)> {
        let mesh = self.mesh();
        match inputs.load() {
            Ok(loaded) => Some((loaded, mesh?)),
            Err(unreadable) => {
                unreadable.iter().for_each(|one| super::complain(one));
                None
            }
        }
    }
}
