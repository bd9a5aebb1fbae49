//! Whole texts: what they are read as, and what is said about the broken ones.

#[cfg(feature = "yaml")]
mod annotations;
#[cfg(feature = "yaml")]
mod broken;
#[cfg(feature = "yaml")]
mod extension_providers;
mod hostile;
#[cfg(all(feature = "yaml", not(target_arch = "wasm32")))]
mod large;
#[cfg(all(feature = "yaml", not(target_arch = "wasm32")))]
mod mutated;
#[cfg(feature = "yaml")]
mod resources;
#[cfg(all(feature = "yaml", not(target_arch = "wasm32")))]
mod table;
#[cfg(feature = "yaml")]
mod telemetry_providers;
#[cfg(feature = "yaml")]
mod tutorial;
#[cfg(all(feature = "yaml", not(target_arch = "wasm32")))]
mod validation;
