//! Flags that every command has: what to read, and for which proxy.

use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueEnum};
use outrigger_api::Proxy;

use crate::load::{Inputs, Loaded, SourceFile};
use crate::mesh_config::{self, PathNormalization};
use crate::names;
use crate::proxy_options::ProxyOptions;
use crate::render::Options;

/// One of these has to be given.
const RESOURCES: &str = "resources";

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
    /// What is known of how it runs.
    pub options: Options,
}

impl Subject {
    /// Whether resources come from standard input.
    pub fn reads_stdin(&self) -> bool {
        self.input.files.iter().any(|file| file.as_os_str() == "-")
    }

    /// With these files too.
    #[must_use]
    pub fn with(mut self, paths: Paths) -> Self {
        self.input.add(paths);
        self
    }

    /// Reads everything. `None`: something can't be read, and standard error says what.
    pub fn read(&self) -> Option<Read> {
        let (loaded, mesh) = self.input.read()?;
        let proxy = self.proxy.proxy(&mesh.mesh);
        let options = Options {
            mesh: mesh.mesh.clone(),
            app_ports: self.proxy.app_ports.clone(),
            locality: self.proxy.locality.clone().unwrap_or_default(),
            ..Options::default()
        };
        Some(Read { loaded, mesh, proxy, options })
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
#[command(group(ArgGroup::new(RESOURCES).required(true).multiple(true)))]
pub struct InputOptions {
    /// A file, a folder (its *.yaml, *.yml and *.json, at any depth), or `-` for standard input; repeatable
    #[arg(short = 'f', long = "file", value_name = "PATH", group = RESOURCES)]
    pub files: Vec<PathBuf>,

    /// Namespace of resources that name none
    #[arg(short = 'n', long = "default-namespace", value_name = "NS", default_value = "default", value_parser = names::namespace)]
    pub default_namespace: String,

    /// Istio's MeshConfig, as YAML
    #[arg(long, value_name = "FILE")]
    pub mesh_config: Option<PathBuf>,

    /// How paths are normalised before rules look at them, and forwarded [default: the mesh configuration's
    /// `pathNormalization`, else `base`]
    #[arg(long, value_name = "HOW", value_enum, ignore_case = true)]
    pub path_normalization: Option<PathNormalizationOption>,
}

/// Files as `istioctl analyze` takes them, for commands with no other word of their own.
#[derive(Debug, Clone, Default, Args)]
pub struct Paths {
    /// The same as `--file PATH`
    #[arg(value_name = "PATH", group = RESOURCES)]
    paths: Vec<PathBuf>,
}

/// Values of `--path-normalization`: Istio's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PathNormalizationOption {
    /// Not at all
    None,
    /// RFC 3986: dot segments, `\` as `/`, unreserved characters decoded
    #[value(alias = "default")]
    Base,
    /// And `//` becomes `/`
    #[value(alias = "merge_slashes")]
    MergeSlashes,
    /// And `%2F` and `%5C` are decoded first
    #[value(alias = "decode_and_merge_slashes")]
    DecodeAndMergeSlashes,
}

impl From<PathNormalizationOption> for PathNormalization {
    fn from(option: PathNormalizationOption) -> Self {
        match option {
            PathNormalizationOption::None => Self::None,
            PathNormalizationOption::Base => Self::Base,
            PathNormalizationOption::MergeSlashes => Self::MergeSlashes,
            PathNormalizationOption::DecodeAndMergeSlashes => Self::DecodeAndMergeSlashes,
        }
    }
}

impl InputOptions {
    /// Adds these files.
    pub fn add(&mut self, Paths { paths }: Paths) {
        self.files.extend(paths);
    }

    /// What `-f` and `-n` name.
    pub fn inputs(&self) -> Inputs {
        Inputs::new(self.files.clone(), self.default_namespace.clone())
    }

    /// Reads the mesh configuration, if there is one; a flag wins over it. `None`: it can't be read, and standard error
    /// says why.
    pub fn mesh(&self) -> Option<mesh_config::Parsed> {
        let mut parsed = match self.mesh_config.as_deref().map(mesh_config::read) {
            None => mesh_config::Parsed::default(),
            Some(Ok(parsed)) => parsed,
            Some(Err(unreadable)) => {
                super::complain(&unreadable);
                return None;
            }
        };
        if let Some(flag) = self.path_normalization {
            parsed.mesh.path_normalization = flag.into();
        }
        Some(parsed)
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
