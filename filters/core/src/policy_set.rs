//! Which policies a module carries out.

/// Which policies an engine carries out: all of them in the suite, one in each stand-alone filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PolicySet(u8);

impl PolicySet {
    /// RequestAuthentication.
    pub const JWT: Self = Self(1);
    /// AuthorizationPolicy.
    pub const AUTHZ: Self = Self(1 << 1);
    /// Fault injection of a VirtualService.
    pub const FAULT: Self = Self(1 << 2);
    /// Routes of a VirtualService.
    pub const ROUTE: Self = Self(1 << 3);
    /// Istio's standard metrics.
    pub const METRICS: Self = Self(1 << 4);
    /// Every policy.
    pub const ALL: Self = Self(0b1_1111);

    /// The set as a number, for [`crate::PolicyEngine`].
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// What the module is called that carries out the policies with these [`PolicySet::bits`].
    pub const fn module_name(bits: u8) -> &'static str {
        match Self(bits) {
            Self::JWT => "jwt-authn",
            Self::AUTHZ => "authz",
            Self::FAULT => "fault",
            Self::ROUTE => "router",
            Self::METRICS => "metrics",
            _ => "suite",
        }
    }

    /// Whether `policy` is part of the set with these [`PolicySet::bits`].
    pub const fn contains_bits(bits: u8, policy: Self) -> bool {
        bits & policy.0 == policy.0
    }
}
