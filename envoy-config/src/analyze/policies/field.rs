//! What a rule asks about, whichever of Istio's fields it stands in.

use outrigger_api::Proxy;
use outrigger_api::types::authorization_policy::{
    Glob, MetadataPattern, PathPattern, RequestPrincipal, ServiceAccount, ValuePattern,
};

use super::shape::Shape;

/// A property of a request or its peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Field<'r> {
    Principal,
    RequestPrincipal,
    Namespace,
    ServiceAccount,
    TrustDomain,
    SourceIp,
    RemoteIp,
    Host,
    Port,
    Method,
    Path,
    Header(&'r str),
    Audiences,
    Presenter,
    Claim(&'r [String]),
    DestinationIp,
    Sni,
    Metadata(&'r str, &'r str),
}

impl Field<'_> {
    /// Whether a request has no more than one value of it. A header may come in several lines, a claim may be a list.
    /// An identity as Istio issues them, `<trust domain>/ns/<namespace>/sa/<account>`, has one of each part.
    pub(super) fn is_single(self) -> bool {
        let several = matches!(
            self,
            Self::Header(_) | Self::Audiences | Self::Presenter | Self::Claim(_) | Self::Metadata(..)
        );
        !several
    }

    /// Whether only a request has it. On a TCP port Istio leaves a rule of ALLOW out that asks for such.
    pub(super) fn is_http(self) -> bool {
        self.is_token() || matches!(self, Self::Host | Self::Method | Self::Path | Self::Header(_))
    }

    /// Whether it is about the certificate of the peer.
    pub(super) fn is_identity(self) -> bool {
        matches!(self, Self::Principal | Self::Namespace | Self::ServiceAccount | Self::TrustDomain)
    }

    /// Whether it is about a verified token.
    pub(super) fn is_token(self) -> bool {
        matches!(self, Self::RequestPrincipal | Self::Audiences | Self::Presenter | Self::Claim(_))
    }
}

/// The names of the mesh: in a principal, each stands for all.
#[derive(Debug, Clone, Copy)]
pub(super) struct TrustDomains<'p>(&'p Proxy);

/// Istio's name for the mesh's own trust domain, whatever that is called.
const LOCAL: &str = "cluster.local";

impl<'p> TrustDomains<'p> {
    pub(super) fn new(proxy: &'p Proxy) -> Self {
        Self(proxy)
    }

    fn has(self, domain: &str) -> bool {
        domain == LOCAL
            || domain == self.0.trust_domain
            || self.0.trust_domain_aliases.iter().any(|own| own == domain)
    }

    /// Whether the mesh has one name only, and principals mean what they say.
    fn is_plain(self) -> bool {
        self.0.trust_domain == LOCAL && self.0.trust_domain_aliases.is_empty()
    }

    /// A principal. In a mesh of several names Istio exchanges the trust domain of those in full form; what such a
    /// one has in common with another text is then not looked into.
    pub(super) fn principal<'r>(self, pattern: &'r ValuePattern) -> Shape<'r> {
        if self.is_plain() {
            return Shape::of(pattern);
        }
        match pattern {
            ValuePattern::Exact(text) => match text.split_once('/') {
                Some((domain, rest)) if self.has(domain) && rest.matches('/').count() == 3 => {
                    Shape::Exact(format!("{LOCAL}/{rest}").into())
                }
                _ => Shape::Other(text.into()),
            },
            ValuePattern::Any => Shape::Any,
            pattern => Shape::Other(pattern.to_string().into()),
        }
    }

    /// A trust domain by itself.
    pub(super) fn trust_domain<'r>(self, pattern: &'r ValuePattern) -> Shape<'r> {
        match pattern {
            ValuePattern::Exact(text) if !self.0.trust_domain_aliases.is_empty() => Shape::Other(text.into()),
            pattern => Shape::of(pattern),
        }
    }
}

/// A star in a namespace stands for slashes too, so only names without them are understood.
pub(super) fn namespace(Glob(name): &Glob) -> Shape<'_> {
    match name.split_once('*') {
        _ if name.contains('/') => Shape::Other(name.into()),
        None => Shape::Exact(name.into()),
        Some(("", "")) => Shape::Any,
        Some((start, "")) => Shape::Prefix(start.into()),
        Some(_) => Shape::Other(name.into()),
    }
}

pub(super) fn account(account: &ServiceAccount) -> Shape<'_> {
    Shape::Exact(format!("{}/{}", account.namespace, account.name).into())
}

pub(super) fn request_principal(principal: &RequestPrincipal) -> Shape<'_> {
    Shape::Pair(Box::new((Shape::of(&principal.issuer), Shape::of(&principal.subject))))
}

pub(super) fn path(pattern: &PathPattern) -> Shape<'_> {
    match pattern {
        PathPattern::Value(value) => Shape::of(value),
        PathPattern::Template(segments) => Shape::Template(segments),
    }
}

pub(super) fn port(port: &u16) -> Shape<'_> {
    Shape::Exact(port.to_string().into())
}

pub(super) fn metadata(pattern: &MetadataPattern) -> Shape<'_> {
    let text = match pattern {
        MetadataPattern::Value(value) => value.to_string(),
        MetadataPattern::ListContains(value) => format!("[{value}]"),
    };
    Shape::Other(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_of_the_mesh_is_the_same_in_a_principal() {
        let named = |trust_domain: &str, aliases: &[&str]| Proxy {
            trust_domain: trust_domain.to_owned(),
            trust_domain_aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
            ..Proxy::default()
        };
        let plain = Proxy::default();
        let mesh = named("td", &["old"]);
        for (proxy, one, other, covers, excludes) in [
            (&plain, "cluster.local/ns/a/*", "cluster.local/ns/a/sa/b", true, false),
            (&plain, "td/ns/a/sa/b", "cluster.local/ns/a/sa/b", false, true),
            (&mesh, "td/ns/a/sa/b", "cluster.local/ns/a/sa/b", true, false),
            (&mesh, "old/ns/a/sa/b", "td/ns/a/sa/b", true, false),
            (&mesh, "old/ns/a/sa/b", "td/ns/a/sa/c", false, true),
            // Not in full form: Istio leaves it as it is.
            (&mesh, "cluster.local/ns/a/*", "td/ns/a/sa/b", false, false),
            (&mesh, "*/ns/a/sa/b", "td/ns/a/sa/b", false, false),
            (&mesh, "*", "td/ns/a/sa/b", true, false),
            (&mesh, "foreign/ns/a/sa/b", "td/ns/a/sa/b", false, false),
        ] {
            let (one, other) = (ValuePattern::parse(one), ValuePattern::parse(other));
            let domains = TrustDomains::new(proxy);
            let (left, right) = (domains.principal(&one), domains.principal(&other));
            assert_eq!((left.covers(&right), left.excludes(&right)), (covers, excludes), "{one} {other}");
        }
    }

    #[test]
    fn namespaces_with_stars_inside_are_not_understood() {
        for (one, other, covers, excludes) in [
            ("a", "a", true, false),
            ("a", "b", false, true),
            ("a*", "ab", true, false),
            ("a*", "b", false, true),
            ("*", "b", true, false),
            ("*a", "ba", false, false),
            ("*a", "b", false, false),
            ("a/sa", "b", false, false),
        ] {
            let (one, other) = (Glob(one.to_owned()), Glob(other.to_owned()));
            let (left, right) = (namespace(&one), namespace(&other));
            assert_eq!((left.covers(&right), left.excludes(&right)), (covers, excludes), "{one:?} {other:?}");
        }
    }
}
