//! What stands around the filters: reads Istio's resources, checks them, explains decisions, renders the Envoy
//! configuration and runs Envoy with it. The `outrigger` command is a thin shell around this library.

pub mod analyze;
pub mod certs;
pub mod cli;
pub mod compose;
pub mod credentials;
pub mod dashboards;
pub mod envoy;
pub mod exit;
pub mod explain;
pub mod identity;
pub mod image;
pub mod jwt;
pub mod load;
pub(crate) mod locality;
pub mod manifests;
pub mod mesh_config;
pub mod modules;
mod names;
pub mod proxy_options;
pub mod render;
pub mod run;
mod scope;
pub(crate) mod telemetry;

pub use exit::Exit;
pub use load::{Inputs, Loaded};
pub use mesh_config::MeshConfig;
