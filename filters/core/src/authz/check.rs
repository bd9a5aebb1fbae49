//! One condition of a rule: a field's list of values, compiled.

use crate::Attributes;
use crate::matching::cidr::IpSet;
use crate::matching::prefixes::Prefixes;
use crate::matching::template::Template;
use crate::matching::value_set::ValueSet;

use super::facts::{Address, Facts, Field};
use super::peer::{AccountSet, NamespaceSet, PrincipalSet};
use super::token::RequestPrincipalSet;

/// A list of values, or its `not…` twin.
#[derive(Debug)]
pub(super) struct Check {
    pub(super) matcher: Matcher,
    /// Whether none of the values may match. What a request lacks matches no value, so that this holds then.
    pub(super) negated: bool,
}

/// Any of a list of values.
#[derive(Debug)]
pub(super) enum Matcher {
    Text(Field, ValueSet),
    /// Templates stand under their literal beginning.
    Path(ValueSet, Prefixes<Vec<Template>>),
    Principal(PrincipalSet),
    Namespace(NamespaceSet),
    Account(AccountSet),
    RequestPrincipal(RequestPrincipalSet),
    Address(Address, IpSet),
    /// Destination ports, sorted.
    Port(Box<[u16]>),
}

impl Check {
    pub(super) fn holds(&self, facts: &Facts<'_, '_>) -> bool {
        match self.matcher.matches(facts) {
            Some(matched) => matched != self.negated,
            None => facts.unknown_holds,
        }
    }
}

impl Matcher {
    /// `None` if what it looks at is not known.
    fn matches(&self, facts: &Facts<'_, '_>) -> Option<bool> {
        Some(match self {
            Self::Text(field, values) => facts.any(field, |value| values.contains(value)),
            Self::Path(values, templates) => facts.any(&Field::Path, |path| {
                values.contains(path) || templates.of(path).flatten().any(|template| template.matches(path))
            }),
            Self::Principal(set) => set.holds(facts),
            Self::Namespace(set) => set.holds(facts),
            Self::Account(set) => set.holds(facts),
            Self::RequestPrincipal(set) => set.holds(facts),
            Self::Address(address, set) => set.contains(facts.address(*address)?),
            Self::Port(ports) => ports.binary_search(&facts.request.connection.destination_port?).is_ok(),
        })
    }

    /// The cheap ones are asked first.
    pub(super) fn cost(&self) -> u8 {
        match self {
            Self::Port(_) | Self::Text(Field::Method, _) => 0,
            Self::Path(..) | Self::Text(Field::Sni, _) => 1,
            Self::Address(..) | Self::Text(Field::Host, _) => 2,
            Self::Principal(_) | Self::Namespace(_) | Self::Account(_) => 3,
            Self::Text(..) | Self::RequestPrincipal(_) => 4,
        }
    }

    /// What it asks of a request.
    pub(super) fn attributes(&self) -> Attributes {
        match self {
            Self::Address(Address::Source, _) => Attributes::SOURCE_IP,
            Self::Address(Address::Remote, _) => Attributes::REMOTE_IP,
            Self::Address(Address::Destination, _) => Attributes::DESTINATION_IP,
            Self::Port(_) => Attributes::DESTINATION_PORT,
            Self::Principal(_) | Self::Namespace(_) | Self::Account(_) => Attributes::PEER_PRINCIPAL,
            Self::RequestPrincipal(_) => Attributes::CLAIMS,
            Self::Path(..) => Attributes::PATH,
            Self::Text(field, _) => match field {
                Field::Method => Attributes::METHOD,
                Field::Path => Attributes::PATH,
                Field::Host => Attributes::AUTHORITY,
                Field::Header(_) => Attributes::HEADERS,
                Field::Sni => Attributes::SNI,
                Field::Principal | Field::Namespace | Field::Account | Field::TrustDomain => {
                    Attributes::PEER_PRINCIPAL
                }
                Field::Issuer | Field::TokenSubject | Field::Claim(_) => Attributes::CLAIMS,
            },
        }
    }
}
