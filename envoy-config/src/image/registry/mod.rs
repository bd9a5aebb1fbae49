//! A registry over HTTP: OCI Distribution Specification 1.1, as far as images of modules need it.

mod auth;
mod client;
pub mod credentials;
mod error;
mod location;
mod transfer;
mod transport;

pub use client::{Options, Registry};
pub use credentials::Login;
pub use error::RegistryError;
pub use transfer::Repository;
