//! From a rule as written to its conditions, and the keys to find it by.

use ipnet::IpNet;
use outrigger_api::types::authorization_policy::{
    Condition, Glob, Operation, PathPattern, RequestPrincipal, Rule, ServiceAccount, Source, ValuePattern,
    Values,
};
use outrigger_api::{Proxy, ordered};

use super::check::{Check, Matcher};
use super::facts::{Address, Field};
use super::key::{Choices, Clause, Key, Pattern};
use super::peer::{AccountSet, NamespaceSet, PrincipalSet};
use super::rule::All;
use super::token::RequestPrincipalSet;
use super::trust_domain;
use crate::matching::ByteMap;
use crate::matching::cidr::IpSet;
use crate::matching::prefixes::Prefixes;
use crate::matching::template::Template;
use crate::matching::value_set::{Star, ValueSet};

/// Compiled parts of a rule.
pub(super) struct Draft {
    pub(super) from: Box<[All]>,
    pub(super) to: Box<[All]>,
    pub(super) when: All,
    pub(super) clauses: Vec<Clause>,
}

/// Compiles `rule` for `proxy`. Conditions on Envoy's metadata yield nothing: they must have been
/// refused before.
pub(super) fn draft(rule: &Rule, proxy: &Proxy) -> Draft {
    let builder = |fill: &dyn Fn(&mut Builder<'_>)| {
        let mut builder = Builder { proxy, checks: Vec::new(), choices: Vec::new() };
        fill(&mut builder);
        ordered::sort_by(&mut builder.checks, |one, other| one.matcher.cost().cmp(&other.matcher.cost()));
        (builder.checks.into(), builder.choices)
    };
    let (from, by_source): (Vec<All>, Clause) =
        rule.from.iter().map(|source| builder(&|builder| builder.source(source))).unzip();
    let (to, by_operation): (Vec<All>, Clause) =
        rule.to.iter().map(|operation| builder(&|builder| builder.operation(operation))).unzip();
    let (when, by_condition) =
        builder(&|builder| rule.when.iter().for_each(|entry| builder.condition(entry)));
    let clauses =
        [by_operation, by_source, vec![by_condition]].into_iter().filter(|clause| !clause.is_empty());
    Draft { from: from.into(), to: to.into(), when, clauses: clauses.collect() }
}

/// Conditions that must all hold, being collected.
struct Builder<'b> {
    proxy: &'b Proxy,
    checks: Vec<Check>,
    choices: Choices,
}

impl Builder<'_> {
    /// Adds both lists of a field. `keys` is `None` where a value has no key.
    fn add<T>(
        &mut self,
        lists: &Values<T>,
        matcher: impl Fn(&[T]) -> Matcher,
        keys: impl Fn(&[T]) -> Option<Vec<Key>>,
    ) {
        if !lists.values.is_empty() {
            self.checks.push(Check { matcher: matcher(&lists.values), negated: false });
            self.choices.extend(keys(&lists.values));
        }
        if !lists.not_values.is_empty() {
            self.checks.push(Check { matcher: matcher(&lists.not_values), negated: true });
        }
    }

    fn source(&mut self, source: &Source) {
        self.principals(&source.principals);
        self.request_principals(&source.request_principals);
        self.namespaces(&source.namespaces);
        self.accounts(&source.service_accounts);
        self.trust_domains(&source.trust_domains);
        self.addresses(Address::Source, &source.ip_blocks);
        self.addresses(Address::Remote, &source.remote_ip_blocks);
    }

    fn operation(&mut self, operation: &Operation) {
        self.text(&Field::Host, &operation.hosts, Star::Present);
        self.ports(&operation.ports);
        self.text(&Field::Method, &operation.methods, Star::Present);
        self.add(&operation.paths, paths, |list| list.iter().map(path_key).collect());
    }

    fn condition(&mut self, condition: &Condition) {
        let claim = |path: &[String]| Field::Claim(path.into());
        match condition {
            Condition::RequestHeader(name, lists) => {
                // Envoy has one header by both names.
                let name = if name == "host" { ":authority" } else { name };
                self.text(&Field::Header(name.as_bytes().into()), lists, Star::Present);
            }
            Condition::SourceIp(lists) => self.addresses(Address::Source, lists),
            Condition::RemoteIp(lists) => self.addresses(Address::Remote, lists),
            Condition::DestinationIp(lists) => self.addresses(Address::Destination, lists),
            Condition::SourceNamespace(lists) => self.namespaces(lists),
            Condition::SourceServiceAccount(lists) => self.accounts(lists),
            Condition::SourceTrustDomain(lists) => self.trust_domains(lists),
            Condition::SourcePrincipal(lists) => self.principals(lists),
            Condition::RequestPrincipal(lists) => self.request_principals(lists),
            Condition::RequestAudiences(lists) => {
                self.text(&claim(&["aud".to_owned()]), lists, Star::NotEmpty)
            }
            Condition::RequestPresenter(lists) => {
                self.text(&claim(&["azp".to_owned()]), lists, Star::NotEmpty)
            }
            Condition::RequestClaim(path, lists) => self.text(&claim(path), lists, Star::NotEmpty),
            Condition::DestinationPort(lists) => self.ports(lists),
            Condition::ConnectionSni(lists) => self.text(&Field::Sni, lists, Star::NotEmpty),
            Condition::EnvoyMetadata { .. } => {}
        }
    }

    fn text(&mut self, field: &Field, lists: &Values<ValuePattern>, star: Star) {
        let set = |list: &[ValuePattern]| match field {
            Field::Host => ValueSet::ignoring_case(list, star),
            _ => ValueSet::new(list, star),
        };
        self.add(lists, |list| Matcher::Text(field.clone(), set(list)), |list| text_keys(field, list));
    }

    fn principals(&mut self, lists: &Values<ValuePattern>) {
        let lists = each(lists, &|pattern| trust_domain::of_mesh(pattern, self.proxy));
        self.add(
            &lists,
            |list| Matcher::Principal(PrincipalSet::new(list)),
            |list| text_keys(&Field::Principal, list),
        );
    }

    fn trust_domains(&mut self, lists: &Values<ValuePattern>) {
        let lists = each(lists, &|pattern| trust_domain::with_aliases(pattern, self.proxy));
        self.text(&Field::TrustDomain, &lists, Star::Present);
    }

    fn namespaces(&mut self, lists: &Values<Glob>) {
        let key = |Glob(name): &Glob| {
            let exact = !name.contains(['*', '/']);
            exact.then(|| Key::Text(Field::Namespace, Pattern::Exact, name.as_bytes().into()))
        };
        self.add(
            lists,
            |list| Matcher::Namespace(NamespaceSet::new(list)),
            |list| list.iter().map(key).collect(),
        );
    }

    fn accounts(&mut self, lists: &Values<ServiceAccount>) {
        let key = |account: &ServiceAccount| {
            Key::Text(Field::Account, Pattern::Exact, account.name.as_bytes().into())
        };
        self.add(
            lists,
            |list| Matcher::Account(AccountSet::new(list)),
            |list| Some(list.iter().map(key).collect()),
        );
    }

    fn request_principals(&mut self, lists: &Values<RequestPrincipal>) {
        let key = |principal: &RequestPrincipal| {
            Key::of_pattern(&Field::TokenSubject, &principal.subject)
                .or_else(|| Key::of_pattern(&Field::Issuer, &principal.issuer))
        };
        self.add(
            lists,
            |list| Matcher::RequestPrincipal(RequestPrincipalSet::new(list)),
            |list| list.iter().map(key).collect(),
        );
    }

    fn addresses(&mut self, address: Address, lists: &Values<IpNet>) {
        self.add(
            lists,
            |list| Matcher::Address(address, IpSet::new(list)),
            |list| Some(list.iter().map(|block| Key::Address(address, *block)).collect()),
        );
    }

    fn ports(&mut self, lists: &Values<u16>) {
        let sorted = |list: &[u16]| {
            let mut ports = list.to_vec();
            ordered::sort(&mut ports);
            Matcher::Port(ports.into())
        };
        self.add(lists, sorted, |_| None);
    }
}

/// With several patterns in the place of each.
fn each(
    lists: &Values<ValuePattern>,
    patterns: &dyn Fn(&ValuePattern) -> Vec<ValuePattern>,
) -> Values<ValuePattern> {
    let all = |list: &[ValuePattern]| {
        let mut all = Vec::new();
        list.iter().for_each(|pattern| all.extend(patterns(pattern)));
        all
    };
    Values { values: all(&lists.values), not_values: all(&lists.not_values) }
}

fn text_keys(field: &Field, patterns: &[ValuePattern]) -> Option<Vec<Key>> {
    // A method or a trust domain is shared by too many rules to tell them apart.
    let useful = !matches!(field, Field::Method);
    let keys = patterns.iter().map(|pattern| Key::of_pattern(field, pattern));
    if useful { keys.collect() } else { None }
}

fn paths(patterns: &[PathPattern]) -> Matcher {
    let mut values = Vec::new();
    let mut templates = ByteMap::<Vec<Template>>::default();
    for pattern in patterns {
        match pattern {
            PathPattern::Value(value) => values.push(value),
            PathPattern::Template(segments) => {
                let template = Template::new(segments);
                templates.change(template.literal_prefix().into(), Vec::new, |alike| alike.push(template));
            }
        }
    }
    Matcher::Path(ValueSet::new(values, Star::NotEmpty), Prefixes::new(templates.into_sorted()))
}

fn path_key(pattern: &PathPattern) -> Option<Key> {
    match pattern {
        PathPattern::Value(value) => Key::of_pattern(&Field::Path, value),
        PathPattern::Template(segments) => {
            Some(Key::Text(Field::Path, Pattern::Prefix, Template::new(segments).literal_prefix().into()))
        }
    }
}
