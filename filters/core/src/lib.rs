//! The policy engine of Outrigger: Istio resources compiled once, then one request in, one [`Verdict`] out.
//!
//! This crate is pure. It knows no proxy-wasm, no clock, no random source and no I/O: time and randomness are
//! arguments, and a decision is a value. That is what lets the filters inside Envoy and `outrigger explain` run
//! the same functions.
#![forbid(unsafe_code)]

pub mod attributes;
pub mod authz;
pub mod draws;
mod duration;
pub mod engine;
pub mod fault;
pub mod format;
pub mod header_names;
pub mod jwt;
pub mod matching;
pub mod policy_set;
pub mod reason;
pub mod request;
pub mod route;
pub mod services;
pub mod sticky;
pub mod telemetry;
pub mod verdict;

pub use attributes::Attributes;
pub use draws::Draws;
pub use engine::{Engine, PolicyEngine};
pub use format::Lookup;
pub use policy_set::PolicySet;
pub use reason::RuleRef;
pub use request::{Connection, Now, Request};
pub use verdict::{HeaderOp, Outcome, Reply, Verdict};
