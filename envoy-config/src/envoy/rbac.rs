//! `envoy.config.rbac.v3`, and the filters that carry it out.

use std::collections::BTreeMap;

use serde::Serialize;

use super::any::Extension;
use super::listener::CidrRange;
use super::matcher::{MetadataMatcher, PathMatcher};
use super::route::HeaderMatcher;
use super::scalars::StringMatcher;

/// `envoy.extensions.filters.http.rbac.v3.RBAC`, and in `envoy.extensions.filters.network.rbac.v3.RBAC` the same.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct RbacRules {
    /// What is carried out. `None`: everything passes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rules: Option<Rbac>,
    /// What is only counted, and told in metadata.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shadow_rules: Option<Rbac>,
    /// In front of the names of what is counted and told of those.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub shadow_rules_stat_prefix: &'static str,
}

/// `envoy.extensions.filters.network.rbac.v3.RBAC`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NetworkRbac {
    /// What is carried out.
    #[serde(flatten)]
    pub rules: RbacRules,
    /// In front of its statistics.
    pub stat_prefix: &'static str,
}

/// `RBAC`: policies and what one that matches leads to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rbac {
    /// What a match leads to.
    pub action: RbacAction,
    /// By name.
    pub policies: BTreeMap<String, Policy>,
}

/// `RBAC.Action`
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RbacAction {
    /// Passes; everything else does not.
    Allow,
    /// Does not pass; everything else does.
    Deny,
    /// Is marked for the access log.
    Log,
}

/// `Policy`: one of the permissions and one of the principals.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Policy {
    /// What is done.
    pub permissions: Vec<Permission>,
    /// By whom.
    pub principals: Vec<Principal>,
}

/// `Permission`
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// All of these.
    AndRules {
        /// They.
        rules: Vec<Permission>,
    },
    /// One of these.
    OrRules {
        /// They.
        rules: Vec<Permission>,
    },
    /// Not this.
    NotRule(Box<Permission>),
    /// `true`: anything.
    Any(bool),
    /// A header.
    Header(HeaderMatcher),
    /// The path.
    UrlPath(PathMatcher),
    /// The path, by a template.
    UriTemplate(Box<Extension>),
    /// The address of the connection's end here.
    DestinationIp(CidrRange),
    /// Its port.
    DestinationPort(u16),
    /// The name that TLS asked for.
    RequestedServerName(StringMatcher),
    /// What a filter has said.
    SourcedMetadata(SourcedMetadata),
}

/// `Principal`
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Principal {
    /// All of these.
    AndIds {
        /// They.
        ids: Vec<Principal>,
    },
    /// One of these.
    OrIds {
        /// They.
        ids: Vec<Principal>,
    },
    /// Not this.
    NotId(Box<Principal>),
    /// `true`: anyone.
    Any(bool),
    /// The first URI, DNS name or subject of the client's certificate.
    Authenticated {
        /// What it is.
        principal_name: StringMatcher,
    },
    /// The address of the TCP peer.
    DirectRemoteIp(CidrRange),
    /// The address of the client, by `x-forwarded-for` or the PROXY protocol.
    RemoteIp(CidrRange),
    /// A header.
    Header(HeaderMatcher),
}

/// `SourcedMetadata`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourcedMetadata {
    /// What was said.
    pub metadata_matcher: MetadataMatcher,
    /// `DYNAMIC`: of this request or connection.
    pub metadata_source: &'static str,
}

/// Either side of a policy: both are trees of the same shape.
pub trait Clause: Sized {
    /// Anything.
    fn any() -> Self;
    /// All of these.
    fn all(of: Vec<Self>) -> Self;
    /// One of these.
    fn one(of: Vec<Self>) -> Self;
    /// Not this.
    fn negated(self) -> Self;
}

impl Clause for Permission {
    fn any() -> Self {
        Self::Any(true)
    }

    fn all(of: Vec<Self>) -> Self {
        Self::AndRules { rules: of }
    }

    fn one(of: Vec<Self>) -> Self {
        Self::OrRules { rules: of }
    }

    fn negated(self) -> Self {
        Self::NotRule(Box::new(self))
    }
}

impl Clause for Principal {
    fn any() -> Self {
        Self::Any(true)
    }

    fn all(of: Vec<Self>) -> Self {
        Self::AndIds { ids: of }
    }

    fn one(of: Vec<Self>) -> Self {
        Self::OrIds { ids: of }
    }

    fn negated(self) -> Self {
        Self::NotId(Box::new(self))
    }
}
