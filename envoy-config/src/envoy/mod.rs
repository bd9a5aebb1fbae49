//! The few messages of Envoy's v3 API that are rendered, as serde types in their JSON form. A field that Envoy
//! defaults as we want it is not here. `envoy --mode validate` judges the result in the tests.

pub mod access_log;
pub mod any;
pub mod bootstrap;
pub mod cluster;
pub mod discovery;
pub mod ext_authz;
pub mod grpc;
pub mod http;
pub mod listener;
pub mod matcher;
pub mod rbac;
pub mod route;
pub mod scalars;
pub mod secret;
pub mod tls;
pub mod tracing;
pub mod wasm;

pub use any::Any;
