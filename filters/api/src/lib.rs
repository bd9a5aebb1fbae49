//! Istio's resources as types: parse, validate, select.
//!
//! Text (YAML with feature `yaml`, or JSON) becomes a [`node::Node`] tree that knows its positions; the tree
//! becomes typed [`resource::Resource`]s, and everything that is wrong with it a list of [`problem::Problem`]s.

mod check;
pub mod command_operator;
pub mod config;
mod decode;
pub mod delegate;
pub mod health_check;
pub mod host;
mod json;
pub mod node;
pub mod ordered;
mod parse;
pub mod path;
pub mod problem;
pub mod re2;
pub mod resource;
pub mod select;
pub mod types;
#[cfg(feature = "yaml")]
mod yaml;

pub use check::duration::parse as parse_duration;
pub use check::headers::is_token;
pub use check::names::{host as host_name, label_key, label_value};
pub use config::{Config, DecisionRecord, Direction, MetricLimits, Proxy, Role};
pub use decode::Decoder;
pub use parse::parse_json;
#[cfg(feature = "yaml")]
pub use parse::{parse_mesh_config, parse_yaml, parse_yaml_nodes};
pub use problem::{Problem, Severity};
pub use resource::{Kind, Resource, Spec};
