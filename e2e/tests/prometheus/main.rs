//! What reads our metrics: Prometheus scrapes a gateway and two sidecars, and is asked what Kiali, Istio's dashboards and
//! our own ask it.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, reason = "a test may")]

mod ask;
mod istio;
mod kiali;
mod ours;
mod traffic;

#[allow(dead_code, reason = "only a part is asked for")]
#[path = "../actions/grpc_service.rs"]
mod grpc_service;
#[allow(dead_code, reason = "only a part is asked for")]
#[path = "../jwt/server.rs"]
mod server;

/// What the server of keys serves, whichever are asked for.
fn keys(_: &[&str]) -> String {
    include_str!("../../keys/jwks.json").to_owned()
}
