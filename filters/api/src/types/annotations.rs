//! What a VirtualService asks for beyond Istio, by its `outrigger.io/…` annotations.

use std::{fmt, num::NonZeroU32, time::Duration};

use ipnet::IpNet;

use crate::resource::Timestamp;

/// `outrigger.io/sticky-weights`
pub const STICKY_WEIGHTS: &str = "outrigger.io/sticky-weights";
/// `outrigger.io/fault-max-active`
pub const FAULT_MAX_ACTIVE: &str = "outrigger.io/fault-max-active";
/// `outrigger.io/fault-expires`
pub const FAULT_EXPIRES: &str = "outrigger.io/fault-expires";
/// `outrigger.io/fault-sticky`
pub const FAULT_STICKY: &str = "outrigger.io/fault-sticky";
/// `outrigger.io/fault-dry-run`
pub const FAULT_DRY_RUN: &str = "outrigger.io/fault-dry-run";
/// `outrigger.io/fault-headers-secret-sha256`
pub const FAULT_HEADERS_SECRET: &str = "outrigger.io/fault-headers-secret-sha256";
/// `outrigger.io/fault-headers-from`
pub const FAULT_HEADERS_FROM: &str = "outrigger.io/fault-headers-from";

/// All annotations of a VirtualService that are Outrigger's.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Annotations {
    /// What keeps a caller at one destination; the first that a request has counts. Empty: nothing does.
    pub sticky_weights: Vec<StickyKey>,
    /// What keeps faults within bounds.
    pub fault: FaultGuards,
}

/// A property of a request that stays the same for one caller.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum StickyKey {
    /// `header:NAME`: the first line of the header, in lower case.
    Header(String),
    /// `cookie:NAME`, or `cookie:NAME;ttl=DURATION`.
    Cookie {
        /// Its name.
        name: String,
        /// The caller gets such a cookie if it has none, for this long: whole seconds.
        ttl: Option<Duration>,
    },
    /// `claim:a.b` or `claim:[a][b]`: a claim of the verified token, by its path.
    Claim(Vec<String>),
    /// `source-address`: the client's address, after `X-Forwarded-For` as far as that is trusted.
    SourceAddress,
}

impl fmt::Display for StickyKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name) => write!(formatter, "header:{name}"),
            Self::Cookie { name, ttl: None } => write!(formatter, "cookie:{name}"),
            Self::Cookie { name, ttl: Some(ttl) } => {
                write!(formatter, "cookie:{name};ttl={}s", ttl.as_secs())
            }
            Self::Claim(path) => {
                formatter.write_str("claim:")?;
                path.iter().try_for_each(|part| write!(formatter, "[{part}]"))
            }
            Self::SourceAddress => formatter.write_str("source-address"),
        }
    }
}

/// What keeps the faults of a VirtualService within bounds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FaultGuards {
    /// With so many requests under a fault at once, further ones meet none.
    pub max_active: Option<NonZeroU32>,
    /// From then on no request meets a fault.
    pub expires: Option<Timestamp>,
    /// What decides, instead of a draw, who meets a fault; the first that a request has counts. Empty: a draw does.
    pub sticky: Vec<StickyKey>,
    /// Faults are counted, and nothing is done.
    pub dry_run: bool,
    /// Who may ask for faults by headers; `None`: nobody.
    pub headers: Option<HeaderFaults>,
}

/// Who may ask for faults by Envoy's `x-envoy-fault-…` request headers: whoever fulfils all that is given here. At
/// least one thing is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HeaderFaults {
    /// SHA-256 of what the header `x-outrigger-fault-secret` must hold.
    pub secret: Option<[u8; 32]>,
    /// The connection must come from one of these peers; `None`: from any.
    pub from: Option<Peers>,
}

/// Peers of connections; one fit is enough.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Peers {
    /// Addresses of the TCP peer.
    pub blocks: Vec<IpNet>,
    /// SPIFFE IDs with their scheme, exact, or with a star at the end.
    pub principals: Vec<String>,
}

impl FaultGuards {
    /// Whether nothing is guarded.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The guards that hold for a rule: each is the delegate's, or else what the VirtualService says that delegates to it.
#[derive(Debug, Clone, Copy)]
pub struct Inherited<'g> {
    own: &'g FaultGuards,
    root: &'g FaultGuards,
}

impl<'g> Inherited<'g> {
    /// `root`: the same again where nobody delegates.
    pub fn new(own: &'g FaultGuards, root: &'g FaultGuards) -> Self {
        Self { own, root }
    }

    /// Whether nothing is guarded.
    pub fn is_empty(self) -> bool {
        self.own.is_empty() && self.root.is_empty()
    }

    /// See [`FaultGuards::max_active`].
    pub fn max_active(self) -> Option<NonZeroU32> {
        self.own.max_active.or(self.root.max_active)
    }

    /// See [`FaultGuards::expires`].
    pub fn expires(self) -> Option<Timestamp> {
        self.own.expires.or(self.root.expires)
    }

    /// See [`FaultGuards::sticky`].
    pub fn sticky(self) -> &'g [StickyKey] {
        if self.own.sticky.is_empty() { &self.root.sticky } else { &self.own.sticky }
    }

    /// See [`FaultGuards::dry_run`]: a dry run of either is one.
    pub fn dry_run(self) -> bool {
        self.own.dry_run || self.root.dry_run
    }

    /// See [`FaultGuards::headers`]: the secret and the peers.
    pub fn headers(self) -> Option<(Option<&'g [u8; 32]>, Option<&'g Peers>)> {
        let (own, root) = (self.own.headers.as_ref(), self.root.headers.as_ref());
        let first = own.or(root)?;
        let secret = first.secret.as_ref().or_else(|| root?.secret.as_ref());
        Some((secret, first.from.as_ref().or_else(|| root?.from.as_ref())))
    }
}
