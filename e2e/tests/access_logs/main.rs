//! Access logs: Istio's lines, where they go, and which requests they are about.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, reason = "a test may")]

mod chosen;
mod expected;
mod lines;
mod proxy;
