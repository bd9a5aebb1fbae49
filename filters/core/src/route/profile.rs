//! What of a rule stands on a generic route of its own, because no header tells it to the router: parts of a retry
//! policy, and mirrors (the router looks for a mirror's cluster in a header only after the route and every filter have
//! had their chance to remove it, so such a header would reach the service). The rendered configuration holds a route
//! for each profile that some rule needs, and the filter names it.

use std::borrow::Cow;

use super::mirror::Mirror;
use super::retry_profile::RetryProfile;
use crate::header_names;
use crate::verdict::HeaderOp;

/// What a generic route is needed for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Profile {
    /// How it retries.
    pub retries: RetryProfile,
    /// Where copies go.
    pub mirrors: Vec<Mirror>,
}

impl Profile {
    /// `None`: the plain generic route will do.
    pub(super) fn new(retries: RetryProfile, mirrors: Vec<Mirror>) -> Option<Self> {
        (!retries.is_plain() || !mirrors.is_empty()).then_some(Self { retries, mirrors })
    }

    /// Its name: made of what it is, so that it means the same before and after a reload.
    pub fn name(&self) -> String {
        let mut name = self.retries.name();
        for mirror in &self.mirrors {
            name.push_str(",mirror=");
            name.push_str(&mirror.destination.cluster_name());
            name.push('*');
            name.push_str(&mirror.percentage.get().to_string());
        }
        name
    }

    /// The header that chooses its route.
    pub(super) fn op(&self) -> HeaderOp<'static> {
        HeaderOp::Set(Cow::Borrowed(header_names::PROFILE), Cow::Owned(self.name().into_bytes()))
    }
}
