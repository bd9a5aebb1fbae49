//! What Istio's fetcher of images takes from one, and what it refuses (`pkg/wasm/imagefetcher.go` and `cache.go` before
//! Istio 1.32; Envoy Gateway's `internal/wasm` began as a copy and has the same rules). Nothing here asks a network:
//! whoever calls brings the blobs.

use std::io::{self, Read as _};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::layer::PLUGIN;
use super::media_type as types;
use super::model::{Descriptor, Index, Manifest};
use super::variant::Variant;

/// The most that is unpacked of a layer or taken as a module: 256 MiB.
pub const MAX_SIZE: u64 = 256 * 1024 * 1024;

/// What was taken.
#[derive(Debug, PartialEq, Eq)]
pub struct Taken {
    /// As what the image was read.
    pub variant: Variant,
    /// Where the module was.
    pub layer: Descriptor,
    /// Its bytes.
    pub module: Vec<u8>,
}

/// The image of an index that is taken: the first for linux on amd64, which is what an entry without a platform is for.
#[must_use]
pub fn choose(index: &Index) -> Option<&Descriptor> {
    index.manifests.iter().find(|entry| {
        entry.platform.as_ref().is_none_or(|p| (p.os.as_str(), p.architecture.as_str()) == ("linux", "amd64"))
    })
}

/// Takes the module from an image. `blob` brings the bytes of a layer.
///
/// # Errors
/// The image is refused, or `blob` fails.
pub fn take<E>(
    manifest: &Manifest,
    mut blob: impl FnMut(&Descriptor) -> Result<Vec<u8>, E>,
) -> Result<Taken, FetchError<E>> {
    // Docker's form is told by what the manifest says of itself, whatever the registry calls it.
    if manifest.media_type.as_deref() == Some(types::DOCKER_MANIFEST) {
        let layer =
            last_layer(manifest, types::DOCKER_LAYER).map_err(|why| Refused::Docker(Box::new(why)))?;
        let module = plugin(&blob(layer).map_err(FetchError::Blob)?);
        let module = module.map_err(|why| Refused::Docker(Box::new(why)))?;
        return finish(Variant::Docker, layer, module);
    }
    // Else as a compat image; and what is none may be an artifact.
    let compat = match last_layer(manifest, types::OCI_LAYER) {
        Ok(layer) => match plugin(&blob(layer).map_err(FetchError::Blob)?) {
            Ok(module) => return finish(Variant::Oci, layer, module),
            Err(why) => why,
        },
        Err(why) => why,
    };
    match content_layer(manifest) {
        Ok(layer) => {
            let module = blob(layer).map_err(FetchError::Blob)?;
            if module.len() as u64 > MAX_SIZE {
                return Err(Refused::TooLarge.into());
            }
            finish(Variant::Artifact, layer, module)
        }
        Err(artifact) => {
            Err(Refused::Neither { compat: Box::new(compat), artifact: Box::new(artifact) }.into())
        }
    }
}

/// What is taken has to look like a module: the magic number, and room for the version behind it.
fn finish<E>(variant: Variant, layer: &Descriptor, module: Vec<u8>) -> Result<Taken, FetchError<E>> {
    if module.len() < 8 || !module.starts_with(b"\0asm") {
        return Err(Refused::NotWasm.into());
    }
    Ok(Taken { variant, layer: layer.clone(), module })
}

fn last_layer<'m>(manifest: &'m Manifest, wanted: &'static str) -> Result<&'m Descriptor, Refused> {
    let layer = manifest.layers.last().ok_or(Refused::NoLayer)?;
    if layer.media_type == wanted {
        Ok(layer)
    } else {
        Err(Refused::LastLayer { is: layer.media_type.clone(), wanted })
    }
}

fn content_layer(manifest: &Manifest) -> Result<&Descriptor, Refused> {
    if manifest.layers.len() != 2 {
        return Err(Refused::NotTwoLayers(manifest.layers.len()));
    }
    let found = manifest.layers.iter().find(|layer| layer.media_type == types::WASM_CONTENT);
    found.ok_or(Refused::NoContentLayer)
}

/// The first file of this name in whatever folder of the archive.
fn plugin(layer: &[u8]) -> Result<Vec<u8>, Refused> {
    let unreadable = |error: io::Error| Refused::Archive(error.to_string());
    let mut archive = tar::Archive::new(MultiGzDecoder::new(layer).take(MAX_SIZE));
    for entry in archive.entries().map_err(unreadable)? {
        let mut entry = entry.map_err(unreadable)?;
        if entry.path().map_err(unreadable)?.file_name() != Path::new(PLUGIN).file_name() {
            continue;
        }
        let mut module = Vec::new();
        entry.read_to_end(&mut module).map_err(unreadable)?;
        return Ok(module);
    }
    Err(Refused::NoPlugin)
}

/// Nothing was taken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError<E> {
    /// By the fetcher's rules.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// A blob can't be had.
    #[error("{0}")]
    Blob(E),
}

/// Why the fetcher refuses an image.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A manifest that says it is Docker's has to be a compat image with Docker's media types.
    #[error("its manifest is Docker's, but {0}")]
    Docker(Box<Self>),
    /// Any other manifest has to be one of the two forms.
    #[error("it is no compat image, for {compat}; and no artifact, for {artifact}")]
    Neither {
        /// Why not the one.
        compat: Box<Self>,
        /// Why not the other.
        artifact: Box<Self>,
    },
    /// There is nothing in it.
    #[error("it has no layer")]
    NoLayer,
    /// The last layer decides.
    #[error("its last layer is `{is}` instead of `{wanted}`")]
    LastLayer {
        /// The layer's media type.
        is: String,
        /// The one that is taken.
        wanted: &'static str,
    },
    /// The last layer can't be unpacked.
    #[error("its last layer is no tar archive in gzip: {0}")]
    Archive(String),
    /// The last layer lacks the module.
    #[error("its last layer has no file `plugin.wasm`")]
    NoPlugin,
    /// An artifact has exactly two layers.
    #[error("it has {0} layers instead of 2")]
    NotTwoLayers(usize),
    /// None of them is the module.
    #[error("none of its layers is `application/vnd.module.wasm.content.layer.v1+wasm`")]
    NoContentLayer,
    /// Larger than a fetcher reads.
    #[error("the module is larger than 256 MiB")]
    TooLarge,
    /// The file is no module.
    #[error("what it holds is no WebAssembly module: it does not begin with `\\0asm` and a version")]
    NotWasm,
    /// There are images, but none for the platform.
    #[error("the index has no image for linux on amd64")]
    NoPlatform,
    /// The digest that is compared is that of the image in the index.
    #[error(
        "the digest in its name is that of an index, which is compared with the digest of the image in it"
    )]
    IndexByDigest,
}

#[cfg(test)]
mod tests;
