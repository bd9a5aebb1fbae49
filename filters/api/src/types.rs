//! Istio's messages as Rust types. A value of one of these has passed Istio's validation: a reader need not
//! check again.

pub mod annotations;
pub mod authorization_policy;
pub mod common;
pub mod destination_rule;
pub mod extension_provider;
pub mod gateway;
pub mod kubernetes;
pub mod mesh_config;
pub mod peer_authentication;
pub mod provider_name;
pub mod request_authentication;
pub mod service_entry;
pub mod sidecar;
pub mod telemetry;
pub mod telemetry_provider;
pub mod virtual_service;
pub mod workload_entry;
