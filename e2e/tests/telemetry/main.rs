//! Istio's standard metrics as Envoy shows them, whole: each series of each scenario with each of its labels, from
//! proxies at the edge and on both sides of a connection.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, reason = "a test may")]

mod expected;
mod failures;
mod grpc;
mod peers;
mod places;
mod proxy;
mod refusals;
mod round_trip;

#[allow(dead_code, reason = "only a part is asked for")]
#[path = "../actions/grpc_service.rs"]
mod grpc_service;

#[allow(dead_code, reason = "only a part is asked for")]
#[path = "../mesh/certs.rs"]
mod certs;
#[allow(dead_code, reason = "only a part is asked for")]
#[path = "../mesh/sidecar.rs"]
mod sidecar;
