//! The modules in an Envoy whose configuration somebody else has written.

pub(crate) mod envoy;
mod module_server;
mod remote;
mod surroundings;
mod together;
