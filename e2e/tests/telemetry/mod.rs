//! Istio's standard metrics as Envoy shows them, whole: each series of each scenario with each of its labels, from
//! proxies at the edge and on both sides of a connection.

mod destinations;
mod expected;
mod failures;
mod grpc;
mod peers;
mod places;
mod proxy;
mod refusals;
mod round_trip;
