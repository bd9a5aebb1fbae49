//! Manifests and indexes as JSON (OCI Image Format Specification 1.1; Docker's schema 2 has the same fields).

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

use super::digest::Digest;

/// Reads one of these. An array would do too, as its fields in order; it is none to anybody else.
///
/// # Errors
/// It is no JSON, or not of this shape.
pub fn read<T: DeserializeOwned>(text: &[u8]) -> serde_json::Result<T> {
    if text.trim_ascii_start().first() != Some(&b'{') {
        serde_json::from_slice::<serde_json::Map<_, _>>(text)?;
    }
    serde_json::from_slice(text)
}

/// What Go's JSON, which writes and reads most manifests, takes `null` for.
fn null_is_empty<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}

/// What names a blob or a manifest from within another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// Of what kind it is.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub media_type: String,
    /// Its name.
    pub digest: Digest,
    /// In bytes.
    pub size: u64,
    /// What it is for, if it is for one platform only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// Notes.
    #[serde(default, deserialize_with = "null_is_empty", skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Descriptor {
    /// Of these bytes.
    #[must_use]
    pub fn of(media_type: &str, bytes: &[u8]) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest: Digest::of(bytes),
            size: bytes.len() as u64,
            platform: None,
            annotations: BTreeMap::new(),
        }
    }
}

/// Where an image runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Platform {
    /// Such as `amd64`.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub architecture: String,
    /// Such as `linux`.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub os: String,
}

/// An image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// 2, if it says so: nothing depends on it.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub schema_version: u32,
    /// Of the manifest itself. OCI images may leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// What it is, if it is no image of a container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// How to run it.
    pub config: Descriptor,
    /// Its files, lowest first.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub layers: Vec<Descriptor>,
    /// Notes.
    #[serde(default, deserialize_with = "null_is_empty", skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// A list of images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// 2, if it says so: nothing depends on it.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub schema_version: u32,
    /// Of the index itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The images.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub manifests: Vec<Descriptor>,
    /// Notes.
    #[serde(default, deserialize_with = "null_is_empty", skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// The part of an image's config that tells of it.
#[derive(Debug, Default, Deserialize)]
pub struct Config {
    /// How its container runs.
    #[serde(default)]
    pub config: Option<ContainerConfig>,
}

/// The part of it that tells of the image.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ContainerConfig {
    /// Notes.
    #[serde(default)]
    pub labels: Option<BTreeMap<String, String>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_read_with_fields_that_we_do_not_know() {
        let digest = Digest::of(b"");
        let text = format!(
            r#"{{"schemaVersion":2,"subject":null,"config":{{"mediaType":"a/b","size":0,"digest":"{digest}","data":""}}}}"#
        );
        let manifest: Manifest = serde_json::from_str(&text).unwrap();
        assert_eq!((manifest.config.digest, manifest.layers.len()), (digest, 0));
        assert_eq!(manifest.media_type, None);
    }

    #[test]
    fn null_is_what_it_is_to_other_clients() {
        let digest = Digest::of(b"");
        let text = format!(
            r#"{{"schemaVersion":null,"config":{{"mediaType":null,"size":0,"digest":"{digest}","annotations":null}},"layers":null,"annotations":null}}"#
        );
        let manifest: Manifest = read(text.as_bytes()).unwrap();
        assert_eq!((manifest.schema_version, manifest.layers.len(), manifest.annotations.len()), (0, 0, 0));
        let index: Index = read(br#"{"manifests":null,"annotations":null}"#).unwrap();
        assert!(index.manifests.is_empty());
        assert!(read::<Index>(b" []").is_err());
    }
}
