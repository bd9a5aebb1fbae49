//! The upstreams of the demo and of the end-to-end tests: an `httpbin` and services that say which version they are.
//!
//! Every response carries `x-served-by: NAME-VERSION`, so that whoever asks through a proxy sees where the request
//! went. HTTP/1.1 and HTTP/2 without TLS (prior knowledge) are spoken on the same port.

mod attempts;
mod behaviour;
mod httpbin;
mod response;
mod server;
mod service;
mod via;

pub use server::serve;
pub use service::{Kind, Service};
