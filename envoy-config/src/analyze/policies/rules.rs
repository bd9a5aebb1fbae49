//! AuthorizationPolicies as what they ask: lists of constraints, each on one field.

use outrigger_api::types::authorization_policy::{
    AuthorizationPolicy, Condition, Operation, Rule, Source, Values,
};
use outrigger_api::{Resource, Spec};
use outrigger_core::matching::cidr::normal_block;

use super::field::{self, Field, TrustDomains};
use super::shape::Shape;

/// A policy, and what its rules ask.
#[derive(Debug)]
pub(super) struct Policy<'r> {
    pub(super) resource: &'r Resource,
    pub(super) policy: &'r AuthorizationPolicy,
    pub(super) rules: Vec<Asked<'r>>,
}

/// What one rule asks: one of `from`, one of `to` (where there are any), and all of `when`.
#[derive(Debug, Default)]
pub(super) struct Asked<'r> {
    pub(super) from: Vec<Conjunction<'r>>,
    pub(super) to: Vec<Conjunction<'r>>,
    pub(super) when: Conjunction<'r>,
}

/// Constraints that must all hold.
pub(super) type Conjunction<'r> = Vec<Constraint<'r>>;

/// A list of values, of which one must match, and its `not…` twin, of which none may.
#[derive(Debug, PartialEq)]
pub(super) struct Constraint<'r> {
    pub(super) field: Field<'r>,
    pub(super) values: Vec<Shape<'r>>,
    pub(super) not_values: Vec<Shape<'r>>,
    /// The entry it stands in, such as `from[0].source`.
    entry: Entry,
    /// The names of its two lists there.
    names: (&'static str, &'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    From(usize),
    To(usize),
    When(usize),
}

impl Entry {
    fn path(self, rule: usize) -> String {
        match self {
            Self::From(at) => format!("spec.rules[{rule}].from[{at}].source"),
            Self::To(at) => format!("spec.rules[{rule}].to[{at}].operation"),
            Self::When(at) => format!("spec.rules[{rule}].when[{at}]"),
        }
    }
}

impl Constraint<'_> {
    /// The path of its values, in the rule with this number.
    pub(super) fn values_path(&self, rule: usize) -> String {
        format!("{}.{}", self.entry.path(rule), self.names.0)
    }

    /// The path of what it excludes.
    pub(super) fn not_values_path(&self, rule: usize) -> String {
        format!("{}.{}", self.entry.path(rule), self.names.1)
    }

    /// The path of the entry as a whole.
    pub(super) fn entry_path(&self, rule: usize) -> String {
        self.entry.path(rule)
    }
}

impl<'r> Asked<'r> {
    /// Whether it asks nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.from.is_empty() && self.to.is_empty() && self.when.is_empty()
    }

    /// Whether it asks for something that only a request has.
    pub(super) fn is_http(&self) -> bool {
        self.constraints().any(|constraint| constraint.field.is_http())
    }

    /// Each constraint, wherever it stands.
    pub(super) fn constraints(&self) -> impl Iterator<Item = &Constraint<'r>> {
        self.from.iter().chain(&self.to).flatten().chain(&self.when)
    }
}

/// The AuthorizationPolicies among `resources`.
pub(super) fn policies<'r>(resources: &'r [Resource], domains: TrustDomains<'_>) -> Vec<Policy<'r>> {
    let policies = resources.iter().filter_map(|resource| match &resource.spec {
        Spec::AuthorizationPolicy(policy) => Some((resource, policy)),
        _ => None,
    });
    policies
        .map(|(resource, policy)| {
            let rules = policy.rules.iter().flatten().map(|rule| asked(rule, domains)).collect();
            Policy { resource, policy, rules }
        })
        .collect()
}

fn asked<'r>(rule: &'r Rule, domains: TrustDomains<'_>) -> Asked<'r> {
    let from = rule.from.iter().enumerate().map(|(at, part)| source(part, at, domains)).collect();
    let to = rule.to.iter().enumerate().map(|(at, part)| operation(part, at)).collect();
    let when = rule.when.iter().enumerate().map(|(at, part)| condition(part, at, domains)).collect();
    Asked { from, to, when }
}

/// Collects the constraints of one entry.
struct Entries<'r> {
    entry: Entry,
    all: Conjunction<'r>,
}

impl<'r> Entries<'r> {
    fn new(entry: Entry) -> Self {
        Self { entry, all: Vec::new() }
    }

    fn add<T>(
        &mut self,
        field: Field<'r>,
        names: (&'static str, &'static str),
        lists: &'r Values<T>,
        shape: impl Fn(&'r T) -> Shape<'r>,
    ) {
        if !lists.is_empty() {
            self.all.push(constraint(field, self.entry, names, lists, shape));
        }
    }
}

fn constraint<'r, T>(
    field: Field<'r>,
    entry: Entry,
    names: (&'static str, &'static str),
    lists: &'r Values<T>,
    shape: impl Fn(&'r T) -> Shape<'r>,
) -> Constraint<'r> {
    let values = lists.values.iter().map(&shape).collect();
    let not_values = lists.not_values.iter().map(&shape).collect();
    Constraint { field, values, not_values, entry, names }
}

fn source<'r>(source: &'r Source, at: usize, domains: TrustDomains<'_>) -> Conjunction<'r> {
    let mut all = Entries::new(Entry::From(at));
    let Source {
        principals,
        request_principals,
        namespaces,
        service_accounts,
        trust_domains,
        ip_blocks,
        remote_ip_blocks,
    } = source;
    all.add(Field::Principal, ("principals", "notPrincipals"), principals, |value| domains.principal(value));
    let names = ("requestPrincipals", "notRequestPrincipals");
    all.add(Field::RequestPrincipal, names, request_principals, field::request_principal);
    all.add(Field::Namespace, ("namespaces", "notNamespaces"), namespaces, field::namespace);
    let names = ("serviceAccounts", "notServiceAccounts");
    all.add(Field::ServiceAccount, names, service_accounts, field::account);
    all.add(Field::TrustDomain, ("trustDomains", "notTrustDomains"), trust_domains, |value| {
        domains.trust_domain(value)
    });
    all.add(Field::SourceIp, ("ipBlocks", "notIpBlocks"), ip_blocks, |block| {
        Shape::Block(normal_block(*block))
    });
    let names = ("remoteIpBlocks", "notRemoteIpBlocks");
    all.add(Field::RemoteIp, names, remote_ip_blocks, |block| Shape::Block(normal_block(*block)));
    all.all
}

fn operation(operation: &Operation, at: usize) -> Conjunction<'_> {
    let mut all = Entries::new(Entry::To(at));
    let Operation { hosts, ports, methods, paths } = operation;
    all.add(Field::Host, ("hosts", "notHosts"), hosts, Shape::folded);
    all.add(Field::Port, ("ports", "notPorts"), ports, field::port);
    all.add(Field::Method, ("methods", "notMethods"), methods, Shape::of);
    all.add(Field::Path, ("paths", "notPaths"), paths, field::path);
    all.all
}

fn condition<'r>(condition: &'r Condition, at: usize, domains: TrustDomains<'_>) -> Constraint<'r> {
    fn of<'r, T>(
        at: usize,
        field: Field<'r>,
        lists: &'r Values<T>,
        shape: impl Fn(&'r T) -> Shape<'r>,
    ) -> Constraint<'r> {
        constraint(field, Entry::When(at), ("values", "notValues"), lists, shape)
    }
    match condition {
        Condition::RequestHeader(name, lists) => of(at, Field::Header(name), lists, Shape::of),
        Condition::SourceIp(lists) => {
            of(at, Field::SourceIp, lists, |block| Shape::Block(normal_block(*block)))
        }
        Condition::RemoteIp(lists) => {
            of(at, Field::RemoteIp, lists, |block| Shape::Block(normal_block(*block)))
        }
        Condition::SourceNamespace(lists) => of(at, Field::Namespace, lists, field::namespace),
        Condition::SourceServiceAccount(lists) => of(at, Field::ServiceAccount, lists, field::account),
        Condition::SourceTrustDomain(lists) => {
            of(at, Field::TrustDomain, lists, |value| domains.trust_domain(value))
        }
        Condition::SourcePrincipal(lists) => {
            of(at, Field::Principal, lists, |value| domains.principal(value))
        }
        Condition::RequestPrincipal(lists) => {
            of(at, Field::RequestPrincipal, lists, field::request_principal)
        }
        Condition::RequestAudiences(lists) => of(at, Field::Audiences, lists, Shape::of),
        Condition::RequestPresenter(lists) => of(at, Field::Presenter, lists, Shape::of),
        Condition::RequestClaim(path, lists) => of(at, Field::Claim(path), lists, Shape::of),
        Condition::DestinationIp(lists) => {
            of(at, Field::DestinationIp, lists, |block| Shape::Block(normal_block(*block)))
        }
        Condition::DestinationPort(lists) => of(at, Field::Port, lists, field::port),
        Condition::ConnectionSni(lists) => of(at, Field::Sni, lists, Shape::of),
        Condition::EnvoyMetadata { filter, key, values } => {
            of(at, Field::Metadata(filter, key), values, field::metadata)
        }
    }
}
