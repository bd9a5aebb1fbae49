//! Makes the image of a module: the same bytes from the same module, wherever and whenever it is built.

use std::collections::BTreeMap;
use std::io;

use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::digest::Digest;
use super::layer::pack;
use super::media_type as types;
use super::model::{Descriptor, Manifest};
use super::names;
use super::variant::Variant;
use crate::modules::Module;

const fn manifest_type(variant: Variant) -> &'static str {
    match variant {
        Variant::Oci | Variant::Artifact => types::OCI_MANIFEST,
        Variant::Docker => types::DOCKER_MANIFEST,
    }
}

/// What an image says of itself.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Where the module's sources are.
    pub source: Option<String>,
    /// Which state of them it was made from.
    pub revision: Option<String>,
    /// When, in seconds since 1970, if that is to be in it.
    pub created: Option<u64>,
}

impl Facts {
    /// By the keys of the OCI Image Format Specification.
    fn notes(&self, module: Module) -> Result<BTreeMap<String, String>, BuildError> {
        let mut notes = BTreeMap::new();
        let mut note = |key: &str, value: &str| {
            if !value.is_empty() {
                notes.insert(format!("org.opencontainers.image.{key}"), value.to_owned());
            }
        };
        note("title", &names::image(module));
        note("description", names::description(module));
        note("version", env!("CARGO_PKG_VERSION"));
        note("licenses", env!("CARGO_PKG_LICENSE"));
        note("source", self.source.as_deref().unwrap_or(env!("CARGO_PKG_REPOSITORY")));
        note("revision", self.revision.as_deref().unwrap_or_default());
        note("created", &self.created()?.unwrap_or_default());
        Ok(notes)
    }

    fn created(&self) -> Result<Option<String>, BuildError> {
        let Some(seconds) = self.created else { return Ok(None) };
        let moment = i64::try_from(seconds).ok().and_then(|s| OffsetDateTime::from_unix_timestamp(s).ok());
        let text = moment.and_then(|moment| moment.format(&Rfc3339).ok());
        text.map(Some).ok_or(BuildError::Moment(seconds))
    }
}

/// An image with all its bytes.
#[derive(Debug, Clone)]
pub struct Image {
    /// Its form.
    pub variant: Variant,
    /// Of its manifest.
    pub media_type: &'static str,
    /// As it is stored.
    pub manifest: Vec<u8>,
    /// What the manifest names, in this order.
    pub blobs: Vec<(Digest, Vec<u8>)>,
    /// Of the module's bytes.
    pub module: Digest,
    /// Of the module, in bytes.
    pub module_size: usize,
}

impl Image {
    /// Makes the image of `module`, whose bytes are `wasm`.
    ///
    /// # Errors
    /// The moment in `facts` is none of the calendar's.
    pub fn build(module: Module, wasm: &[u8], variant: Variant, facts: &Facts) -> Result<Self, BuildError> {
        let notes = facts.notes(module)?;
        let (config, layers) = match variant {
            Variant::Oci => compat(wasm, facts, &notes, types::OCI_CONFIG, types::OCI_LAYER)?,
            Variant::Docker => compat(wasm, facts, &notes, types::DOCKER_CONFIG, types::DOCKER_LAYER)?,
            Variant::Artifact => artifact(wasm)?,
        };
        let mut annotations = match variant {
            // Docker's manifests have none; the labels in the config say it.
            Variant::Docker => BTreeMap::new(),
            Variant::Oci | Variant::Artifact => notes,
        };
        if variant == Variant::Oci {
            annotations.insert("module.wasm.image/variant".to_owned(), "compat".to_owned());
        }
        let manifest = Manifest {
            schema_version: 2,
            media_type: Some(manifest_type(variant).to_owned()),
            artifact_type: (variant == Variant::Artifact).then(|| types::WASM_CONTENT.to_owned()),
            config: config.descriptor(),
            layers: layers.iter().map(Part::descriptor).collect(),
            annotations,
        };
        let blobs = std::iter::once(config).chain(layers).map(|part| (Digest::of(&part.bytes), part.bytes));
        Ok(Self {
            variant,
            media_type: manifest_type(variant),
            manifest: serde_json::to_vec(&manifest)?,
            blobs: blobs.collect(),
            module: Digest::of(wasm),
            module_size: wasm.len(),
        })
    }

    /// Of the manifest: what names the image, and what `sha256` of a WasmPlugin has to be.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.manifest)
    }
}

/// A blob before the manifest names it.
struct Part {
    media_type: &'static str,
    title: Option<&'static str>,
    bytes: Vec<u8>,
}

impl Part {
    fn descriptor(&self) -> Descriptor {
        let mut descriptor = Descriptor::of(self.media_type, &self.bytes);
        if let Some(title) = self.title {
            descriptor.annotations.insert("org.opencontainers.image.title".to_owned(), title.to_owned());
        }
        descriptor
    }
}

/// Config and layer of an image that container tools understand. It runs nowhere, so its platform is the one that they
/// look for first.
fn compat(
    wasm: &[u8],
    facts: &Facts,
    labels: &BTreeMap<String, String>,
    config_type: &'static str,
    layer_type: &'static str,
) -> Result<(Part, Vec<Part>), BuildError> {
    let layer = pack(wasm, facts.created.unwrap_or(0))?;
    let mut history = json!({"created_by": "outrigger image build"});
    let mut config = json!({
        "architecture": "amd64",
        "os": "linux",
        "config": {"Labels": labels},
        "rootfs": {"type": "layers", "diff_ids": [Digest::of(&layer.archive)]},
    });
    if let Some(created) = facts.created()? {
        for object in [&mut history, &mut config] {
            object.as_object_mut().map(|object| object.insert("created".to_owned(), created.clone().into()));
        }
    }
    config.as_object_mut().map(|object| object.insert("history".to_owned(), json!([history])));
    let config = Part { media_type: config_type, title: None, bytes: serde_json::to_vec(&config)? };
    Ok((config, vec![Part { media_type: layer_type, title: None, bytes: layer.compressed }]))
}

/// The two layers of the Wasm Artifact Image Specification.
fn artifact(wasm: &[u8]) -> Result<(Part, Vec<Part>), BuildError> {
    let runtime = json!({"type": "envoy_proxy", "abiVersions": ["v0.2.1"], "config": {}});
    let runtime = Part {
        media_type: types::WASM_CONFIG,
        title: Some("runtime-config.json"),
        bytes: serde_json::to_vec(&runtime)?,
    };
    let content = Part { media_type: types::WASM_CONTENT, title: Some("plugin.wasm"), bytes: wasm.to_vec() };
    Ok((Part { media_type: types::OCI_EMPTY, title: None, bytes: b"{}".to_vec() }, vec![runtime, content]))
}

/// The image can't be made.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A date that no calendar has.
    #[error("{0} seconds after 1970 are no date that can be written down\nhint: look at SOURCE_DATE_EPOCH")]
    Moment(u64),
    /// The layer can't be packed.
    #[error("the layer can't be packed: {0}")]
    Pack(#[from] io::Error),
    /// The manifest can't be written.
    #[error("the manifest can't be written: {0}")]
    Json(#[from] serde_json::Error),
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const WASM: &[u8] = b"\0asm\x01\0\0\0";

    fn build(variant: Variant, facts: &Facts) -> (Image, Manifest) {
        let image = Image::build(Module::Authz, WASM, variant, facts).unwrap();
        let manifest = serde_json::from_slice(&image.manifest).unwrap();
        (image, manifest)
    }

    #[rstest]
    #[case(Variant::Oci, &[types::OCI_CONFIG, types::OCI_LAYER])]
    #[case(Variant::Docker, &[types::DOCKER_CONFIG, types::DOCKER_LAYER])]
    #[case(Variant::Artifact, &[types::OCI_EMPTY, types::WASM_CONFIG, types::WASM_CONTENT])]
    fn a_manifest_names_its_blobs_in_order(#[case] variant: Variant, #[case] wanted: &[&str]) {
        let (image, manifest) = build(variant, &Facts::default());
        let named: Vec<_> = std::iter::once(&manifest.config).chain(&manifest.layers).collect();
        let kinds: Vec<_> = named.iter().map(|descriptor| descriptor.media_type.as_str()).collect();
        assert_eq!(kinds, wanted);
        assert_eq!(manifest.media_type.as_deref(), Some(image.media_type));
        assert_eq!(named.len(), image.blobs.len());
        for (descriptor, (digest, bytes)) in named.iter().zip(&image.blobs) {
            assert_eq!((&descriptor.digest, descriptor.size), (digest, bytes.len() as u64));
            assert_eq!(&Digest::of(bytes), digest);
        }
        let again = build(variant, &Facts::default()).0;
        assert_eq!((again.manifest, again.blobs), (image.manifest, image.blobs));
    }

    #[test]
    fn notes_are_annotations_and_labels() {
        let facts = Facts {
            source: Some("https://git.example/outrigger".to_owned()),
            revision: Some("abc".to_owned()),
            created: Some(1_700_000_000),
        };
        let (image, manifest) = build(Variant::Oci, &facts);
        let config: serde_json::Value = serde_json::from_slice(&image.blobs[0].1).unwrap();
        let labels = &config["config"]["Labels"];
        for (key, value) in [
            ("title", "outrigger-authz"),
            ("version", env!("CARGO_PKG_VERSION")),
            ("licenses", "Apache-2.0"),
            ("source", "https://git.example/outrigger"),
            ("revision", "abc"),
            ("created", "2023-11-14T22:13:20Z"),
            ("description", "Istio's AuthorizationPolicy as a filter for Envoy"),
        ] {
            let key = format!("org.opencontainers.image.{key}");
            assert_eq!(manifest.annotations.get(&key).map(String::as_str), Some(value), "{key}");
            assert_eq!(labels[&key], value, "{key}");
        }
        assert_eq!(config["created"], "2023-11-14T22:13:20Z");
        assert_eq!(manifest.annotations["module.wasm.image/variant"], "compat");
    }

    #[test]
    fn without_a_moment_no_date_is_in_an_image() {
        for variant in [Variant::Oci, Variant::Docker, Variant::Artifact] {
            let (image, _) = build(variant, &Facts::default());
            let all = std::iter::once(&image.manifest).chain(image.blobs.iter().map(|(_, bytes)| bytes));
            assert!(all.into_iter().all(|bytes| !String::from_utf8_lossy(bytes).contains("created\"")));
        }
        let late = Facts { created: Some(u64::MAX), ..Facts::default() };
        let error = Image::build(Module::Suite, WASM, Variant::Oci, &late).unwrap_err();
        assert!(matches!(error, BuildError::Moment(u64::MAX)), "{error}");
    }
}
