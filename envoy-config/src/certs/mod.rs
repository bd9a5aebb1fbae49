//! Who the workloads of a mesh are: an authority of its own that signs their certificates, each of which names one
//! workload by a SPIFFE ID. What Istio has istiod for.

mod authority;
mod chain;
mod constraints;
mod files;
mod keeper;
mod rotation;
mod spiffe;
#[cfg(test)]
mod tests;

pub use self::authority::{Authority, CertsError, Own, Wanted};
pub use self::chain::{ChainError, Named, judge};
pub use self::keeper::{Keeper, Told, Workload};
pub use self::rotation::{Rotation, Step};
pub use self::spiffe::{BadSpiffeId, SpiffeId, TrustDomain};
