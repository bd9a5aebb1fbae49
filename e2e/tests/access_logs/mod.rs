//! Access logs: Istio's lines, where they go, and which requests they are about.

mod chosen;
mod expected;
mod lines;
mod proxy;
