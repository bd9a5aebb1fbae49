//! Values that Envoy's JSON form writes in a way of its own.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

/// `google.protobuf.Duration`: seconds with a trailing `s`, such as `10s` or `0.025s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seconds(pub Duration);

impl Seconds {
    /// `0s`: for most of Envoy's timeouts, none at all.
    pub const ZERO: Self = Self(Duration::ZERO);

    /// Whole seconds.
    pub const fn new(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }
}

impl From<Duration> for Seconds {
    fn from(duration: Duration) -> Self {
        Self(duration)
    }
}

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (seconds, nanos) = (self.0.as_secs(), self.0.subsec_nanos());
        if nanos == 0 {
            return serializer.collect_str(&format_args!("{seconds}s"));
        }
        let fraction = format!("{nanos:09}");
        serializer.collect_str(&format_args!("{seconds}.{}s", fraction.trim_end_matches('0')))
    }
}

/// `envoy.type.v3.Percent`
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Percent {
    /// 0 to 100.
    pub value: f64,
}

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Percent", 1)?;
        // A whole number reads better without a fraction.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let whole = self.value as u32;
        if f64::from(whole).to_bits() == self.value.to_bits() {
            fields.serialize_field("value", &whole)?;
        } else {
            fields.serialize_field("value", &self.value)?;
        }
        fields.end()
    }
}

/// `envoy.config.core.v3.Address`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Address {
    /// A TCP port.
    SocketAddress {
        /// An IP address, or a name where the cluster's type allows one.
        address: String,
        /// The port.
        port_value: u16,
    },
    /// A unix socket.
    Pipe {
        /// Its path; `@` in front: abstract.
        path: String,
    },
}

impl Address {
    /// A TCP port at a name or an address.
    pub fn tcp(host: impl Into<String>, port: u16) -> Self {
        Self::SocketAddress { address: host.into(), port_value: port }
    }

    /// Whether it has to be looked up.
    pub fn is_name(&self) -> bool {
        match self {
            Self::SocketAddress { address, .. } => address.parse::<IpAddr>().is_err(),
            Self::Pipe { .. } => false,
        }
    }

    /// The same as a socket address, if it is an IP address and a port.
    pub fn socket(&self) -> Option<SocketAddr> {
        match self {
            Self::SocketAddress { address, port_value } => {
                Some(SocketAddr::new(address.parse::<IpAddr>().ok()?, *port_value))
            }
            Self::Pipe { .. } => None,
        }
    }
}

/// `envoy.type.matcher.v3.StringMatcher`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StringMatcher {
    /// All of it.
    Exact(String),
    /// Begins with this.
    Prefix(String),
    /// Ends with this.
    Suffix(String),
    /// All of it matches this.
    SafeRegex {
        /// In RE2's syntax.
        regex: String,
    },
}

/// A string matcher that does not look at case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AnyCase {
    #[serde(flatten)]
    matcher: StringMatcher,
    ignore_case: bool,
}

impl StringMatcher {
    /// The same without regard to case; of no use for a regex.
    pub fn any_case(self) -> AnyCase {
        AnyCase { matcher: self, ignore_case: true }
    }
}

/// A message with nothing in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Empty {}

/// Text that is written over several lines, in a block that keeps them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block(pub String);

impl Serialize for Block {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_saphyr::LitStr(&self.0).serialize(serializer)
    }
}

/// For `skip_serializing_if`: what says nothing is not written.
pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_protobuf_has_them() {
        for (millis, text) in [(0, "0s"), (10_000, "10s"), (25, "0.025s"), (1_500, "1.5s")] {
            let written = serde_json::to_string(&Seconds(Duration::from_millis(millis))).unwrap();
            assert_eq!(written, format!("\"{text}\""));
        }
    }
}
