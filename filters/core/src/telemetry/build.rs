//! The metric that says which version runs.

use super::labels::push;

/// Istio's gauge, always 1, by component and version.
pub const BUILD: &str = "istio_build";
/// Its label for what runs: `proxy`.
pub const COMPONENT: &str = "component";
/// Its label for the version.
pub const TAG: &str = "tag";

/// The name of [`BUILD`] for this version.
pub fn build() -> String {
    let mut name = BUILD.to_owned();
    push(&mut name, COMPONENT, "proxy");
    push(&mut name, TAG, env!("CARGO_PKG_VERSION"));
    name
}
