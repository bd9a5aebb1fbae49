//! What there is to say of an image: what a fetcher takes from it, and what speaks against it.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::digest::Digest;
use super::fetch::{self, FetchError, Refused, Taken};
use super::media_type as types;
use super::model::{self, Config, Descriptor, Index, Manifest};
use super::source::{Root, Source, SourceError};
use super::variant::Variant;
use super::wasm;

/// An image, looked at.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Inspection {
    /// What was looked at.
    pub reference: String,
    /// Whether a proxy can load it by Istio's or Envoy Gateway's fetcher.
    pub accepted: bool,
    /// As what it is read.
    pub layout: Option<Variant>,
    /// Of the manifest.
    pub media_type: String,
    /// Of the manifest, without `sha256:`: what `sha256` of a WasmPlugin has to be.
    pub sha256: String,
    /// Of the index in which the image was found, if there is one.
    pub index: Option<Digest>,
    /// How it would run.
    pub config: Option<Blob>,
    /// Its layers, lowest first.
    pub layers: Vec<Blob>,
    /// What is taken from it.
    pub module: Option<Module>,
    /// Of the manifest.
    pub annotations: BTreeMap<String, String>,
    /// In the config.
    pub labels: BTreeMap<String, String>,
    /// What speaks against it.
    pub problems: Vec<String>,
}

/// A blob of an image.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Blob {
    /// Of what kind it is.
    pub media_type: String,
    /// Its name.
    pub digest: Digest,
    /// In bytes.
    pub size: u64,
}

impl From<&Descriptor> for Blob {
    fn from(descriptor: &Descriptor) -> Self {
        let Descriptor { media_type, digest, size, .. } = descriptor.clone();
        Self { media_type, digest, size }
    }
}

/// A module in an image.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Module {
    /// The layer it is in.
    pub layer: Digest,
    /// Of its bytes, without `sha256:`.
    pub sha256: String,
    /// In bytes.
    pub size: usize,
    /// Of proxy-wasm, such as `0.2.1`, if it says so.
    pub abi: Option<String>,
}

impl Inspection {
    /// Of something that can't be read at all.
    #[must_use]
    pub fn broken(reference: String, problem: &SourceError) -> Self {
        Self { problems: vec![problem.to_string()], ..Self::of(reference, String::new(), &[]) }
    }

    fn of(reference: String, media_type: String, manifest: &[u8]) -> Self {
        Self {
            reference,
            accepted: false,
            layout: None,
            media_type,
            sha256: if manifest.is_empty() { String::new() } else { Digest::of(manifest).hex().to_owned() },
            index: None,
            config: None,
            layers: Vec::new(),
            module: None,
            annotations: BTreeMap::new(),
            labels: BTreeMap::new(),
            problems: Vec::new(),
        }
    }

    /// Looks at an image and reads every blob of it. `expected` is what its manifest is said to be.
    ///
    /// # Errors
    /// The way to the image is broken; what is wrong with the image itself is among its `problems`.
    pub fn new(root: &Root, source: &dyn Source, expected: Option<&Digest>) -> Result<Self, SourceError> {
        let mut inspection = match resolve(root, source) {
            Ok(Resolved { index, media_type, bytes }) => {
                let mut inspection = Self::of(root.name.clone(), media_type, &bytes);
                inspection.index = index;
                if inspection.index.is_some() && root.by_digest {
                    inspection.problems.push(Refused::IndexByDigest.to_string());
                }
                inspection.look(&bytes, source)?;
                inspection
            }
            Err(Unresolved::Image(problem)) => {
                let mut inspection = Self::of(root.name.clone(), root.media_type.clone(), &root.bytes);
                inspection.problems.push(problem);
                inspection
            }
            Err(Unresolved::Way(error)) => return Err(error),
        };
        if let Some(expected) = expected {
            inspection.compare(expected);
        }
        inspection.accepted = inspection.problems.is_empty();
        Ok(inspection)
    }

    fn look(&mut self, manifest: &[u8], source: &dyn Source) -> Result<(), SourceError> {
        let manifest: Manifest = match model::read(manifest) {
            Ok(manifest) => manifest,
            Err(error) => {
                self.problems.push(format!("its manifest can't be read: {error}"));
                return Ok(());
            }
        };
        self.config = Some((&manifest.config).into());
        self.layers = manifest.layers.iter().map(Into::into).collect();
        self.annotations.clone_from(&manifest.annotations);
        let mut blobs = HashMap::new();
        for descriptor in std::iter::once(&manifest.config).chain(&manifest.layers) {
            match source.blob(descriptor) {
                Ok(bytes) => drop(blobs.insert(&descriptor.digest, bytes)),
                Err(error) if error.is_of_image() => self.problems.push(format!("the blob {error}")),
                Err(error) => return Err(error),
            }
        }
        let config = blobs.get(&manifest.config.digest).and_then(|bytes| serde_json::from_slice(bytes).ok());
        let config: Config = config.unwrap_or_default();
        self.labels = config.config.and_then(|config| config.labels).unwrap_or_default();
        match fetch::take(&manifest, |layer| blobs.get(&layer.digest).cloned().ok_or(())) {
            Ok(taken) => self.take(&taken),
            Err(FetchError::Refused(why)) => self.problems.push(format!("Istio's fetcher refuses it: {why}")),
            // Said above.
            Err(FetchError::Blob(())) => {}
        }
        Ok(())
    }

    fn take(&mut self, taken: &Taken) {
        let abi = wasm::facts(&taken.module).map(|facts| facts.abi);
        match &abi {
            Ok(Some(_)) => {}
            Ok(None) => self.problems.push(
                "Envoy refuses the module: it exports no `proxy_abi_version_…`, so it is no proxy-wasm module".to_owned(),
            ),
            Err(why) => self.problems.push(format!("Envoy refuses the module: {why}")),
        }
        self.layout = Some(taken.variant);
        self.module = Some(Module {
            layer: taken.layer.digest.clone(),
            sha256: Digest::of(&taken.module).hex().to_owned(),
            size: taken.module.len(),
            abi: abi.ok().flatten(),
        });
    }

    fn compare(&mut self, expected: &Digest) {
        let (expected, is) = (expected.hex(), &self.sha256);
        if expected == is {
            return;
        }
        let mut problem = format!("its manifest is sha256:{is}, not sha256:{expected}");
        if self.module.as_ref().is_some_and(|module| module.sha256 == expected) {
            problem += ", which is the module's: `sha256` of a WasmPlugin has the manifest's for an image";
        } else if self.index.as_ref().is_some_and(|index| index.hex() == expected) {
            problem += ", which is the index's: `sha256` of a WasmPlugin has that of the image in it";
        }
        self.problems.push(problem);
    }
}

struct Resolved {
    index: Option<Digest>,
    media_type: String,
    bytes: Vec<u8>,
}

enum Unresolved {
    Image(String),
    Way(SourceError),
}

/// Goes from an index to the image in it that is taken, as deep as it needs to be.
fn resolve(root: &Root, source: &dyn Source) -> Result<Resolved, Unresolved> {
    /// An index in an index is rare, and one in that has no use.
    const DEPTH: usize = 4;
    let (mut media_type, mut bytes, mut index) = (root.media_type.clone(), root.bytes.clone(), None);
    for _ in 0..DEPTH {
        if !types::is_index(&media_type) {
            return Ok(Resolved { index, media_type, bytes });
        }
        let list: Index = model::read(&bytes)
            .map_err(|error| Unresolved::Image(format!("the index can't be read: {error}")))?;
        index.get_or_insert_with(|| Digest::of(&bytes));
        let entry = fetch::choose(&list).ok_or_else(|| {
            Unresolved::Image(format!("Istio's fetcher refuses it: {}", Refused::NoPlatform))
        })?;
        bytes = source.manifest(entry).map_err(|error| {
            if error.is_of_image() {
                Unresolved::Image(format!("the manifest {error}"))
            } else {
                Unresolved::Way(error)
            }
        })?;
        media_type.clone_from(&entry.media_type);
    }
    Err(Unresolved::Image("its index leads to nothing but other indexes".to_owned()))
}

#[cfg(test)]
mod tests;
