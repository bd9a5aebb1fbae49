//! Which images are made.

use std::env;

use clap::{Args, ValueEnum};

use super::Failure;
use crate::Exit;
use crate::image::{Facts, Image, Variant};
use crate::modules::Module;

/// Seconds since 1970 that stand for "now" (reproducible-builds.org).
const EPOCH: &str = "SOURCE_DATE_EPOCH";

/// What goes into images.
#[derive(Debug, Args)]
pub(super) struct Choice {
    /// A module; repeatable [default: all]
    #[arg(long = "module", value_name = "NAME", value_enum)]
    modules: Vec<Module>,

    /// The form of the image. `oci` is what container tools, Istio and Envoy Gateway all take
    #[arg(long, value_enum, default_value_t = LayoutName::Oci)]
    layout: LayoutName,

    /// Where the sources are, for the image's annotation
    #[arg(long, value_name = "URL")]
    source: Option<String>,

    /// Which state of the sources the modules are from, for the image's annotation
    #[arg(long, value_name = "COMMIT")]
    revision: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LayoutName {
    /// An OCI image with `plugin.wasm` in its layer
    Oci,
    /// The same with Docker's media types, for registries that take nothing else
    Docker,
    /// The module itself as a layer, uncompressed; no Docker engine pulls it
    Artifact,
}

impl Choice {
    /// The modules, each once, the suite first.
    pub(super) fn modules(&self) -> Vec<Module> {
        let named = &self.modules;
        Module::ALL.into_iter().filter(|module| named.is_empty() || named.contains(module)).collect()
    }

    /// Makes their images.
    pub(super) fn build(&self) -> Result<Vec<(Module, Image)>, Failure> {
        let created = epoch(env::var(EPOCH).ok().as_deref())?;
        let facts = Facts { source: self.source.clone(), revision: self.revision.clone(), created };
        let variant = match self.layout {
            LayoutName::Oci => Variant::Oci,
            LayoutName::Docker => Variant::Docker,
            LayoutName::Artifact => Variant::Artifact,
        };
        let image = |module: Module| {
            let wasm = module.bytes().map_err(|error| Failure(Exit::Environment, error.to_string()))?;
            let image = Image::build(module, &wasm, variant, &facts);
            image.map(|image| (module, image)).map_err(|error| Failure(Exit::Usage, error.to_string()))
        };
        self.modules().into_iter().map(image).collect()
    }
}

fn epoch(value: Option<&str>) -> Result<Option<u64>, Failure> {
    match value.filter(|value| !value.is_empty()) {
        None => Ok(None),
        Some(value) => value.parse().map(Some).map_err(|_| {
            Failure(Exit::Usage, format!("{EPOCH}: `{value}` is no number of seconds since 1970"))
        }),
    }
}

/// Each once, in order: two entries of one name are refused by who loads an image.
pub(super) fn distinct(tags: &[String]) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::new();
    for tag in tags {
        if !distinct.contains(tag) {
            distinct.push(tag.clone());
        }
    }
    distinct
}

/// Reads a tag.
pub(super) fn tag(text: &str) -> Result<String, String> {
    if crate::image::reference::is_tag(text) {
        Ok(text.to_owned())
    } else {
        Err("a tag has up to 128 letters, digits, `_`, `.` and `-`, and begins with none of the last two"
            .to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_number_or_not_there() {
        assert!(matches!(epoch(None), Ok(None)));
        assert!(matches!(epoch(Some("")), Ok(None)));
        assert!(matches!(epoch(Some("12")), Ok(Some(12))));
        assert!(matches!(epoch(Some("now")), Err(Failure(Exit::Usage, why)) if why.contains("`now`")));
    }
}
