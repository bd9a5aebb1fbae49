//! Istio's resources as types: parse, validate, select.
//!
//! Text (YAML with feature `yaml`, or JSON) becomes a [`node::Node`] tree that knows its positions; the tree
//! becomes typed [`resource::Resource`]s, and everything that is wrong with it a list of [`problem::Problem`]s.

pub mod config;
pub mod host;
pub mod node;
pub mod path;
pub mod problem;
pub mod resource;
pub mod types;

pub use config::{Config, Direction, Proxy, Role};
pub use problem::{Problem, Severity};
pub use resource::{Kind, Resource, Spec};
