//! Keys that are fetched over HTTP: from where, when, and what an answer is worth.
//!
//! All of this is decided here and done elsewhere. Every thread of a proxy sees one [`Record`] of each [`Source`], and
//! whoever takes its lease asks; the others get what has been found.

mod answer;
mod cache_control;
mod record;
mod source;
mod uri;

pub use answer::{MAX_BODY, discovered, keys};
pub use cache_control::max_age;
pub use record::Record;
pub use source::{Location, Source};
pub use uri::{CLUSTER, SECURE_CLUSTER, Uri};
