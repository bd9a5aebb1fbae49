//! What keeps the faults of a VirtualService within bounds, compiled.

use std::time::Duration;

use outrigger_api::resource::Timestamp;
use outrigger_api::types::annotations::{Inherited, Peers};

use super::{Moment, Withheld};
use crate::matching::cidr::IpSet;
use crate::sticky::{Keys, Seed};
use crate::{Attributes, Now, Request};

/// The guards of one VirtualService.
#[derive(Debug)]
pub struct Guards {
    /// How many may be under a fault at once.
    pub max_active: Option<u32>,
    /// When the faults end.
    pub expires: Option<Timestamp>,
    /// Whether they are only counted.
    pub dry_run: bool,
    sticky: Option<(Keys, Seed)>,
    pub(super) headers: Option<Allowed>,
}

/// Who may ask for faults by headers.
#[derive(Debug)]
pub(super) struct Allowed {
    pub(super) secret: Option<[u8; 32]>,
    pub(super) from: Option<AllowedPeers>,
}

/// Peers, by their address or their certificate.
#[derive(Debug)]
pub(super) struct AllowedPeers {
    addresses: Option<IpSet>,
    principals: Box<[String]>,
}

/// Where a caller stands in the draws of a delay and of an abort, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Points {
    pub(super) delay: u32,
    pub(super) abort: u32,
}

impl Guards {
    /// Those of a rule; `None` if there are none. Callers draw as they do in the VirtualService `resource`.
    pub fn new(spec: Inherited<'_>, resource: &str) -> Option<Self> {
        (!spec.is_empty()).then(|| Self {
            max_active: spec.max_active().map(u32::from),
            expires: spec.expires(),
            dry_run: spec.dry_run(),
            sticky: Keys::new(spec.sticky(), resource, "delay")
                .map(|keys| (keys, Seed::new("abort", resource))),
            headers: spec
                .headers()
                .map(|(secret, from)| Allowed { secret: secret.copied(), from: from.map(AllowedPeers::new) }),
        })
    }

    /// What they ask of a request beyond its headers.
    pub fn attributes(&self) -> Attributes {
        let mut attributes = self.sticky.as_ref().map(|(keys, _)| keys.attributes()).unwrap_or_default();
        if let Some(from) = self.headers.as_ref().and_then(|headers| headers.from.as_ref()) {
            if from.addresses.is_some() {
                attributes |= Attributes::SOURCE_IP;
            }
            if !from.principals.is_empty() {
                attributes |= Attributes::PEER_PRINCIPAL;
            }
        }
        attributes
    }

    /// The caller's points; `None`: draws decide.
    pub(super) fn caller(&self, request: &Request<'_>) -> Option<Points> {
        let (keys, abort) = self.sticky.as_ref()?;
        let (_, value) = keys.find(request)?;
        let value = value?;
        Some(Points { delay: keys.seed().point(&value), abort: abort.point(&value) })
    }

    /// Why a fault that was drawn is not to be, if so.
    pub(super) fn withhold(&self, resource: &str, moment: Moment<'_>) -> Option<Withheld> {
        if self.expires.is_some_and(|expires| is_over(expires, moment.now)) {
            Some(Withheld::Expired)
        } else if self.dry_run {
            Some(Withheld::DryRun)
        } else if self.max_active.is_some_and(|most| moment.active.active(resource) >= u64::from(most)) {
            Some(Withheld::Overflow)
        } else {
            None
        }
    }

    /// Whether clients may ask for faults by headers.
    pub fn take_headers(&self) -> bool {
        self.headers.is_some()
    }
}

/// Whether faults that end at `expires` have ended.
pub fn is_over(expires: Timestamp, Now(now): Now) -> bool {
    now >= Duration::from_secs(u64::try_from(expires.0).unwrap_or(0))
}

impl AllowedPeers {
    fn new(spec: &Peers) -> Self {
        Self {
            addresses: (!spec.blocks.is_empty()).then(|| IpSet::new(&spec.blocks)),
            principals: spec.principals.clone().into(),
        }
    }

    /// Whether the connection of `request` comes from one of them.
    pub(super) fn hold(&self, request: &Request<'_>) -> bool {
        let connection = &request.connection;
        let address = self.addresses.as_ref().zip(connection.source_ip);
        let fits = |principal: &String| match (principal.strip_suffix('*'), connection.peer_principal) {
            (_, None) => false,
            (Some(prefix), Some(peer)) => peer.starts_with(prefix.as_bytes()),
            (None, Some(peer)) => peer == principal.as_bytes(),
        };
        address.is_some_and(|(blocks, address)| blocks.contains(address)) || self.principals.iter().any(fits)
    }
}
