//! VirtualService routes: which rule matches, where it sends the request and what it changes.
//!
//! [`Table::compile`] puts every rule of a proxy into virtual hosts ([`virtual_host`]); [`Table::find`] yields the
//! [`Route`] of a request, [`Route::choose`] draws its destination, and the [`Choice`] says what to do.

mod attach;
pub mod choice;
mod compile;
mod compile_entry;
mod compile_rule;
mod compile_sidecar;
pub mod condition;
mod cors;
pub mod destination;
mod extras;
mod hashed;
mod kept;
mod mirror;
mod mutation;
pub mod path_match;
mod profile;
mod redirect;
mod refusal;
mod response;
pub mod retries;
pub mod retry_profile;
mod rewrite;
pub mod rule;
pub mod table;
#[cfg(test)]
pub(crate) mod testing;
mod timeout;
pub mod virtual_host;

pub use choice::{Choice, PASSTHROUGH_CLUSTER, Route};
pub use destination::{Destination, Target};
pub use kept::Kept;
pub use mirror::Mirror;
pub use profile::Profile;
pub use response::ResponseChanges;
pub use retries::Retries;
pub use retry_profile::RetryProfile;
pub use rule::Rule;
pub use table::{Rejection, Table};
