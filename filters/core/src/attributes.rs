//! Which facts the compiled rules ask for.

/// A set of request attributes. A property read costs the host about a microsecond, so it reads only these.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attributes(u16);

impl Attributes {
    /// [`crate::Connection::source_ip`].
    pub const SOURCE_IP: Self = Self(1);
    /// [`crate::Connection::remote_ip`].
    pub const REMOTE_IP: Self = Self(1 << 1);
    /// [`crate::Connection::destination_ip`].
    pub const DESTINATION_IP: Self = Self(1 << 2);
    /// [`crate::Connection::destination_port`].
    pub const DESTINATION_PORT: Self = Self(1 << 3);
    /// [`crate::Connection::sni`].
    pub const SNI: Self = Self(1 << 4);
    /// [`crate::Connection::peer_principal`].
    pub const PEER_PRINCIPAL: Self = Self(1 << 5);
    /// The verified token's claims, when another filter has verified it.
    pub const CLAIMS: Self = Self(1 << 6);
    /// The address of the TCP peer with its port, kept for the format operators that print it.
    pub const DIRECT_PEER: Self = Self(1 << 7);
    /// The header `:method`.
    pub const METHOD: Self = Self(1 << 8);
    /// The header `:path`.
    pub const PATH: Self = Self(1 << 9);
    /// The header `:authority`.
    pub const AUTHORITY: Self = Self(1 << 10);
    /// Any other header, of which there may be several lines.
    pub const HEADERS: Self = Self(1 << 11);

    /// Every header.
    const ANY_HEADER: Self = Self(Self::METHOD.0 | Self::PATH.0 | Self::AUTHORITY.0 | Self::HEADERS.0);

    /// The empty set.
    pub const fn none() -> Self {
        Self(0)
    }

    /// Of these, the headers.
    #[must_use]
    pub const fn headers(self) -> Self {
        Self(self.0 & Self::ANY_HEADER.0)
    }

    /// Whether every attribute of `other` is in this set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl std::ops::BitOr for Attributes {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl std::ops::BitOrAssign for Attributes {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}
