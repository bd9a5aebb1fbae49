//! Scenarios and the judges that decide them: the engine alone, Envoy as a process, Envoy in a container.

pub mod bench;
pub mod beside;
pub mod beside_jwt;
pub mod client;
pub mod collector;
pub mod differential;
pub mod engine_judge;
pub mod flood;
pub mod launch;
pub mod metrics;
pub mod native_fault;
pub mod ports;
pub mod prometheus;
pub mod raw;
pub mod regexes;
pub mod scenario;
pub mod series_flood;
pub mod services;
pub mod tally;
pub mod tokens;
