//! Traces, as collectors get them: a gateway, and two services with a sidecar each.

mod chain;
mod decisions;
mod mesh;
mod sampling;
mod settings;
