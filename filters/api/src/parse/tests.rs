//! Whole texts: what they are read as, and what is said about the broken ones.

#[cfg(feature = "yaml")]
mod broken;
mod hostile;
#[cfg(feature = "yaml")]
mod resources;
#[cfg(feature = "yaml")]
mod tutorial;
#[cfg(feature = "yaml")]
mod validation;
