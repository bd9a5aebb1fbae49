//! Files that Envoy watches: it takes over a new version when one is moved into place.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::Any;
use super::any::Extension;

/// `envoy.config.core.v3.ConfigSource` of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConfigSource {
    path_config_source: PathConfigSource,
    resource_api_version: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct PathConfigSource {
    path: PathBuf,
}

impl ConfigSource {
    /// The file at `path`.
    pub fn file(path: &Path) -> Self {
        Self { path_config_source: PathConfigSource { path: path.to_owned() }, resource_api_version: "V3" }
    }
}

/// Where a filter's configuration comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExtensionConfigSource {
    /// The file.
    pub config_source: ConfigSource,
    /// What may be in it.
    pub type_urls: Vec<&'static str>,
}

/// One filter's configuration in its file.
pub type ExtensionConfig = Extension;

/// `envoy.service.discovery.v3.DiscoveryResponse`: what stands in such a file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DiscoveryResponse {
    /// Changes with the content.
    pub version_info: String,
    /// The content.
    pub resources: Vec<Any>,
}
