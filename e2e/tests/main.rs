//! The tests against real Envoy. They are one program, so that they are linked once, and so that those that wait let
//! others run.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test may"
)]

mod access_logs;
mod actions;
mod answers;
mod bench;
mod cors;
mod decisions;
mod demo;
mod destinations;
mod differential;
mod explain;
mod ext_authz;
mod faults;
mod flood;
mod gateways;
mod hostile;
mod images;
mod jwt;
mod jwt_algorithms;
mod jwt_refusals;
mod log_formats;
mod manifests;
mod mesh;
mod mesh_compose;
mod own_envoy;
mod prometheus;
mod readme;
mod regex;
mod reload;
mod reloads;
mod scenarios;
mod security;
mod tcp_authz;
mod telemetry;
mod telemetry_doc;
mod tracing;
