//! `security.istio.io` AuthorizationPolicy.

use std::fmt;

use ipnet::IpNet;

use super::common::Target;

/// Who may do what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationPolicy {
    /// For whom.
    pub target: Target,
    /// What a matching rule leads to.
    pub action: Action,
    /// Any of these must match. `None` (left out) and `Some` of an empty list match nothing: with `ALLOW` all is
    /// denied. One rule without parts matches everything.
    pub rules: Option<Vec<Rule>>,
    /// By annotation `istio.io/dry-run`, for CUSTOM `outrigger.io/dry-run`: is counted, does nothing.
    pub dry_run: bool,
}

/// What a matching rule leads to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Action {
    /// The request passes if any ALLOW policy matches.
    #[default]
    Allow,
    /// The request is refused.
    Deny,
    /// The request is marked.
    Audit,
    /// An external server decides.
    Custom {
        /// Its name in the mesh configuration.
        provider: String,
    },
}

/// One rule: each part that is not empty must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rule {
    /// Any of these.
    pub from: Vec<Source>,
    /// Any of these.
    pub to: Vec<Operation>,
    /// All of these.
    pub when: Vec<Condition>,
}

/// A field with its `not…` twin. An empty `values` holds for everything, an empty `not_values` too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Values<T> {
    /// One of these must match.
    pub values: Vec<T>,
    /// None of these may match.
    pub not_values: Vec<T>,
}

impl<T> Values<T> {
    /// Whether nothing is asked.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty() && self.not_values.is_empty()
    }
}

impl<T> Default for Values<T> {
    fn default() -> Self {
        Self { values: Vec::new(), not_values: Vec::new() }
    }
}

/// One `source`; each field that is not empty must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Source {
    /// The peer's SPIFFE identity without `spiffe://`: `td/ns/x/sa/y`.
    pub principals: Values<ValuePattern>,
    /// The token's issuer and subject.
    pub request_principals: Values<RequestPrincipal>,
    /// The peer's namespace.
    pub namespaces: Values<Glob>,
    /// The peer's service account.
    pub service_accounts: Values<ServiceAccount>,
    /// The peer's trust domain.
    pub trust_domains: Values<ValuePattern>,
    /// The peer's address on the connection.
    pub ip_blocks: Values<IpNet>,
    /// The client's address by `X-Forwarded-For` or PROXY protocol.
    pub remote_ip_blocks: Values<IpNet>,
}

/// One `operation`; each field that is not empty must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Operation {
    /// `:authority` with its port; compared without regard to case.
    pub hosts: Values<ValuePattern>,
    /// The workload's port.
    pub ports: Values<u16>,
    /// `:method`.
    pub methods: Values<ValuePattern>,
    /// The path without query and fragment.
    pub paths: Values<PathPattern>,
}

/// How most values are compared, case-sensitively unless the field says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ValuePattern {
    /// `*`: anything but the empty string; a header must be present.
    Any,
    /// Equal.
    Exact(String),
    /// `x*`: begins with this.
    Prefix(String),
    /// `*x`: ends with this. Wins if a value has a star at both ends: the last one is then literal.
    Suffix(String),
}

impl ValuePattern {
    /// Reads Istio's notation.
    pub fn parse(text: &str) -> Self {
        if text == "*" {
            Self::Any
        } else if let Some(suffix) = text.strip_prefix('*') {
            Self::Suffix(suffix.to_owned())
        } else if let Some(prefix) = text.strip_suffix('*') {
            Self::Prefix(prefix.to_owned())
        } else {
            Self::Exact(text.to_owned())
        }
    }
}

impl fmt::Display for ValuePattern {
    /// In Istio's notation.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => formatter.write_str("*"),
            Self::Exact(text) => formatter.write_str(text),
            Self::Prefix(prefix) => write!(formatter, "{prefix}*"),
            Self::Suffix(suffix) => write!(formatter, "*{suffix}"),
        }
    }
}

/// A text in which each `*` stands for any characters, also none.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Glob(pub String);

/// `iss/sub` of a token. Both claims must be there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RequestPrincipal {
    /// Compared with `iss`.
    pub issuer: ValuePattern,
    /// Compared with `sub`.
    pub subject: ValuePattern,
}

impl RequestPrincipal {
    /// Reads Istio's notation: split at the last slash, and a star at one end only. Without a slash a leading
    /// star is about the subject, a trailing one about the issuer, and a plain value is an issuer with an empty
    /// subject.
    pub fn parse(text: &str) -> Self {
        let exact = |value: &str| ValuePattern::Exact(value.to_owned());
        let trailing = |value: &str| {
            value
                .strip_suffix('*')
                .map_or_else(|| exact(value), |prefix| ValuePattern::Prefix(prefix.to_owned()))
        };
        let (issuer, subject) = match (text, text.rsplit_once('/')) {
            ("*", _) => (ValuePattern::Any, ValuePattern::Any),
            (_, Some((issuer, subject))) if text.starts_with('*') => {
                (ValuePattern::parse(issuer), exact(subject))
            }
            (_, None) if text.starts_with('*') => (ValuePattern::Any, ValuePattern::parse(text)),
            (_, Some((issuer, "*"))) => (exact(issuer), ValuePattern::Any),
            (_, Some((issuer, subject))) => (exact(issuer), trailing(subject)),
            (_, None) if text.ends_with('*') => (trailing(text), ValuePattern::Any),
            (_, None) => (exact(text), exact("")),
        };
        Self { issuer, subject }
    }
}

/// A service account of a namespace, whatever the trust domain.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ServiceAccount {
    /// Its namespace; the policy's if left out.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// How a path is compared.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PathPattern {
    /// As most values are.
    Value(ValuePattern),
    /// With `{*}` or `{**}` in it: segment by segment. The first segment follows the leading slash;
    /// a trailing slash is an empty literal at the end.
    Template(Vec<TemplateSegment>),
}

/// One segment of a path template.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TemplateSegment {
    /// This text.
    Literal(String),
    /// `{*}`: one segment, not empty.
    One,
    /// `{**}`: any number of segments, also none. The last operator of a template; literals may follow.
    Many,
}

/// One entry of `when`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// `request.headers[name]`, lower case.
    RequestHeader(String, Values<ValuePattern>),
    /// `source.ip`: as `ipBlocks`.
    SourceIp(Values<IpNet>),
    /// `remote.ip`: as `remoteIpBlocks`.
    RemoteIp(Values<IpNet>),
    /// `source.namespace`
    SourceNamespace(Values<Glob>),
    /// `source.serviceAccount`
    SourceServiceAccount(Values<ServiceAccount>),
    /// `source.trustDomain`
    SourceTrustDomain(Values<ValuePattern>),
    /// `source.principal`
    SourcePrincipal(Values<ValuePattern>),
    /// `request.auth.principal`
    RequestPrincipal(Values<RequestPrincipal>),
    /// `request.auth.audiences`: claim `aud`.
    RequestAudiences(Values<ValuePattern>),
    /// `request.auth.presenter`: claim `azp`.
    RequestPresenter(Values<ValuePattern>),
    /// `request.auth.claims[a][b]`: a string, or one of a list of strings, by its path (never empty).
    RequestClaim(Vec<String>, Values<ValuePattern>),
    /// `destination.ip`
    DestinationIp(Values<IpNet>),
    /// `destination.port`: the workload's.
    DestinationPort(Values<u16>),
    /// `connection.sni`
    ConnectionSni(Values<ValuePattern>),
    /// `experimental.envoy.filters.NAME[key]`: dynamic metadata.
    EnvoyMetadata {
        /// The filter, such as `envoy.filters.network.mysql_proxy`.
        filter: String,
        /// The key.
        key: String,
        /// What it is compared with.
        values: Values<MetadataPattern>,
    },
}

/// How dynamic metadata is compared.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum MetadataPattern {
    /// A string.
    Value(ValuePattern),
    /// `[v]`: a list that contains it.
    ListContains(ValuePattern),
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::{ValuePattern::*, *};

    #[test]
    fn value_patterns() {
        for (text, expected) in [
            ("*", Any),
            ("a", Exact("a".to_owned())),
            ("a*", Prefix("a".to_owned())),
            ("*a", Suffix("a".to_owned())),
            ("*a*", Suffix("a*".to_owned())),
            ("a*b", Exact("a*b".to_owned())),
            ("**", Suffix("*".to_owned())),
        ] {
            assert_eq!(ValuePattern::parse(text), expected, "{text}");
            assert_eq!(expected.to_string(), text);
        }
    }

    #[test]
    fn request_principals() {
        let exact = |text: &str| Exact(text.to_owned());
        for (text, issuer, subject) in [
            ("*", Any, Any),
            ("iss/sub", exact("iss"), exact("sub")),
            ("https://iss/x/sub", exact("https://iss/x"), exact("sub")),
            ("*/sub", Any, exact("sub")),
            ("*ss/sub", Suffix("ss".to_owned()), exact("sub")),
            ("*/*", Any, exact("*")),
            ("iss/*", exact("iss"), Any),
            ("iss/su*", exact("iss"), Prefix("su".to_owned())),
            ("iss/*b", exact("iss"), exact("*b")),
            ("iss/*b*", exact("iss"), Prefix("*b".to_owned())),
            ("*sub", Any, Suffix("sub".to_owned())),
            ("iss*", Prefix("iss".to_owned()), Any),
            ("iss", exact("iss"), exact("")),
        ] {
            assert_eq!(RequestPrincipal::parse(text), RequestPrincipal { issuer, subject }, "{text}");
        }
    }
}
