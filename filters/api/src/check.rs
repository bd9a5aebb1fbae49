//! Istio's rules for single values, each as a function from text. An error is what follows after the value in a
//! message: `` `5x` is not a duration ``.

pub(crate) mod base64;
pub(crate) mod duration;
#[cfg(feature = "yaml")]
pub(crate) mod format;
pub(crate) mod headers;
pub(crate) mod ip;
pub(crate) mod names;
pub(crate) mod regex;
pub(crate) mod timestamp;
