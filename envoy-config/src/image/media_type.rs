//! The media types of what images consist of.

/// An image's manifest.
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// A list of images, one a platform.
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// How an image is to be run.
pub const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// Files of an image.
pub const OCI_LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// The config `{}` of what is no image.
pub const OCI_EMPTY: &str = "application/vnd.oci.empty.v1+json";

/// Docker's manifest, version 2, schema 2.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// Docker's list of images.
pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// Docker's config.
pub const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
/// Docker's layer.
pub const DOCKER_LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";

/// A module as it is, of the [Wasm Artifact Image Specification](https://github.com/solo-io/wasm/blob/master/spec/spec.md).
pub const WASM_CONTENT: &str = "application/vnd.module.wasm.content.layer.v1+wasm";
/// What runs it, of the same specification.
pub const WASM_CONFIG: &str = "application/vnd.module.wasm.config.v1+json";

/// What a registry may answer with to a request for a manifest.
pub const MANIFESTS: [&str; 4] = [OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST];

/// Whether a manifest of this type is a list of others.
#[must_use]
pub fn is_index(media_type: &str) -> bool {
    media_type == OCI_INDEX || media_type == DOCKER_LIST
}
