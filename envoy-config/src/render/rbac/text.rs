//! How texts of a rule are compared.

use outrigger_api::types::authorization_policy::{Glob, ServiceAccount, ValuePattern};

use crate::envoy::route::HeaderMatch;
use crate::envoy::scalars::StringMatcher;

/// What a peer's identity begins with.
const SCHEME: &str = "spiffe://";

/// Most texts.
pub(super) fn matcher(pattern: &ValuePattern) -> StringMatcher {
    match pattern {
        ValuePattern::Any => regex(".+".to_owned()),
        ValuePattern::Exact(text) => StringMatcher::Exact(text.clone()),
        ValuePattern::Prefix(prefix) => StringMatcher::Prefix(prefix.clone()),
        ValuePattern::Suffix(suffix) => StringMatcher::Suffix(suffix.clone()),
    }
}

/// A header: a star is for any value, also an empty one.
pub(super) fn header(pattern: &ValuePattern) -> HeaderMatch {
    match pattern {
        ValuePattern::Any => HeaderMatch::PresentMatch(true),
        _ => HeaderMatch::StringMatch(matcher(pattern)),
    }
}

/// A host: the same without regard to case.
pub(super) fn host(pattern: &ValuePattern) -> HeaderMatch {
    match pattern {
        ValuePattern::Any => HeaderMatch::PresentMatch(true),
        _ => HeaderMatch::AnyCase(matcher(pattern).any_case()),
    }
}

/// A peer's identity, which a rule names without its scheme.
pub(super) fn principal(pattern: &ValuePattern) -> StringMatcher {
    match pattern {
        ValuePattern::Any => matcher(pattern),
        ValuePattern::Exact(text) => StringMatcher::Exact(format!("{SCHEME}{text}")),
        ValuePattern::Prefix(prefix) => StringMatcher::Prefix(format!("{SCHEME}{prefix}")),
        ValuePattern::Suffix(suffix) => regex(format!("{SCHEME}.*{}", quoted(suffix))),
    }
}

/// The namespace in a peer's identity.
pub(super) fn namespace(Glob(name): &Glob) -> StringMatcher {
    let name = name.split('*').map(quoted).collect::<Vec<_>>().join(".*");
    regex(format!(".*/ns/{name}/.*"))
}

/// The service account in a peer's identity, whatever stands around it.
pub(super) fn account(ServiceAccount { namespace, name }: &ServiceAccount) -> StringMatcher {
    regex(format!("{SCHEME}.+/ns/{}/(.+/|)sa/{}(/.+)?", quoted(namespace), quoted(name)))
}

/// The trust domain in a peer's identity: a star does not reach beyond it.
pub(super) fn trust_domain(pattern: &ValuePattern) -> StringMatcher {
    match pattern {
        ValuePattern::Any => StringMatcher::Prefix(SCHEME.to_owned()),
        ValuePattern::Exact(domain) => StringMatcher::Prefix(format!("{SCHEME}{domain}/")),
        ValuePattern::Prefix(prefix) => regex(format!("{SCHEME}{}[^/]*/.*", quoted(prefix))),
        ValuePattern::Suffix(suffix) => regex(format!("{SCHEME}[^/]*{}/.*", quoted(suffix))),
    }
}

fn regex(regex: String) -> StringMatcher {
    StringMatcher::SafeRegex { regex }
}

/// A text as a regex that matches it alone.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for letter in text.chars() {
        if r"\.+*?()|[]{}^$".contains(letter) {
            quoted.push('\\');
        }
        quoted.push(letter);
    }
    quoted
}
