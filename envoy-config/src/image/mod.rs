//! OCI images of the modules: what they are made of, how they are kept in an image layout or a registry, and what the
//! fetchers of Istio and Envoy Gateway take from one.

pub mod builder;
pub mod digest;
pub mod fetch;
pub mod inspect;
mod layer;
pub mod layout;
pub mod media_type;
pub mod model;
pub mod names;
pub mod reference;
pub mod registry;
pub mod source;
pub mod variant;
pub(crate) mod wasm;

pub use builder::{Facts, Image};
pub use digest::Digest;
pub use reference::Reference;
pub use variant::Variant;
