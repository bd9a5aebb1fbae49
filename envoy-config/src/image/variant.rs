//! The forms that an image of a module can have.

use serde::Serialize;

/// The forms that the fetchers of Istio and Envoy Gateway take. The
/// [Wasm Image Specification](https://github.com/solo-io/wasm/tree/master/spec) calls the first two "compat".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Variant {
    /// An OCI image with `plugin.wasm` in its last layer.
    Oci,
    /// The same with Docker's media types.
    Docker,
    /// The module as it is, with what runs it beside it: no image of a container.
    Artifact,
}

impl Variant {
    /// What it is called on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Oci => "oci",
            Self::Docker => "docker",
            Self::Artifact => "artifact",
        }
    }
}
