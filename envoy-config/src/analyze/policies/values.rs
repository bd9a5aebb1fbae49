//! Values that no request has: slips that Istio takes without a word, and that make a rule weaker or stronger than it
//! looks.

use outrigger_api::types::authorization_policy::Action;

use super::field::Field;
use super::rules::{Constraint, Policy};
use super::shape::Shape;
use crate::analyze::finding::{Finding, Level};
use crate::analyze::{codes, methods};

/// Looks at each value by itself. Tells which rules ask for nothing but such values in some place.
pub(super) fn check(policy: &Policy<'_>, findings: &mut Vec<Finding>) -> Vec<bool> {
    let rules = policy.rules.iter().enumerate();
    rules
        .map(|(at, rule)| {
            for constraint in rule.constraints() {
                check_one(policy, at, constraint, findings);
            }
            let is_dead = |all: &[Constraint<'_>]| all.iter().any(fits_nothing);
            let all_dead =
                |parts: &[Vec<Constraint<'_>>]| !parts.is_empty() && parts.iter().all(|part| is_dead(part));
            is_dead(&rule.when) || all_dead(&rule.from) || all_dead(&rule.to)
        })
        .collect()
}

fn check_one(policy: &Policy<'_>, rule: usize, constraint: &Constraint<'_>, findings: &mut Vec<Finding>) {
    let mut push = |level, path: String, message: String, hint: Option<String>| {
        let finding = Finding::new(codes::VALUE_OF_NO_REQUEST, level, policy.resource, &path, message);
        findings.push(finding.hint(hint));
    };
    if let Field::Header(name) = constraint.field
        && !is_header_name(name)
    {
        let path = format!("{}.key", constraint.entry_path(rule));
        // Envoy's own filters get the rules of such policies, and it refuses the whole configuration for these letters.
        let refused =
            matches!(policy.policy.action, Action::Custom { .. }) && name.contains(['\0', '\n', '\r']);
        let level = if refused { Level::Error } else { Level::Warning };
        let name = name.escape_debug();
        push(level, path, format!("no request has a header `{name}`: that is not the name of one"), None);
        return;
    }
    let lists = [
        (constraint.values_path(rule), &constraint.values),
        (constraint.not_values_path(rule), &constraint.not_values),
    ];
    for (path, values) in lists {
        for (at, value) in values.iter().enumerate() {
            if let Some(slip) = slip(constraint.field, value) {
                push(Level::Warning, format!("{path}[{at}]"), slip.message, slip.hint);
            }
        }
    }
}

/// Whether no request can have one of the values.
fn fits_nothing(constraint: &Constraint<'_>) -> bool {
    let named = match constraint.field {
        Field::Header(name) => is_header_name(name),
        _ => true,
    };
    let impossible = |value| slip(constraint.field, value).is_some_and(|slip| slip.is_certain);
    !constraint.values.is_empty() && (!named || constraint.values.iter().all(impossible))
}

/// What is wrong about a value.
struct Slip {
    message: String,
    hint: Option<String>,
    /// Whether not even a strange client, token or certificate could have it.
    is_certain: bool,
}

impl Slip {
    fn certain(value: &Shape<'_>, why: &str) -> Self {
        Self { message: format!("no request has `{value}`: {why}"), hint: None, is_certain: true }
    }

    fn likely(value: &Shape<'_>, why: &str) -> Self {
        Self { is_certain: false, ..Self::certain(value, why) }
    }

    fn hint(mut self, hint: String) -> Self {
        self.hint = Some(hint);
        self
    }
}

fn slip(field: Field<'_>, value: &Shape<'_>) -> Option<Slip> {
    match field {
        Field::Method => method(value).or_else(|| literal_star(value)),
        Field::Path => path(value).or_else(|| {
            Some(literal_star(value)?.hint("a template such as `/a/{*}/b` takes any segment".to_owned()))
        }),
        Field::Host => host(value).or_else(|| literal_star(value)),
        Field::Principal => principal(value).or_else(|| literal_star(value)),
        Field::RequestPrincipal => request_principal(value),
        Field::Sni => server_name(value),
        _ => None,
    }
}

/// Only one star counts, at one of the ends.
fn literal_star(value: &Shape<'_>) -> Option<Slip> {
    let (Shape::Exact(text) | Shape::Prefix(text) | Shape::Suffix(text)) = value else { return None };
    text.contains('*').then(|| {
        let why = "only one star at the beginning or at the end stands for anything, any other for itself";
        Slip::likely(value, why)
    })
}

fn method(value: &Shape<'_>) -> Option<Slip> {
    let Shape::Exact(text) = value else { return None };
    let methods::Slip { message, hint, is_certain } = methods::slip(text)?;
    Some(Slip { message, hint, is_certain })
}

/// The path ends before the first `?` or `#`, and begins with a slash in all that Envoy lets through but `OPTIONS *`.
fn path(value: &Shape<'_>) -> Option<Slip> {
    let (Shape::Exact(text) | Shape::Prefix(text) | Shape::Suffix(text)) = value else { return None };
    if let Some((before, _)) = text.split_once(['?', '#']) {
        let star = if matches!(value, Shape::Suffix(_)) { "*" } else { "" };
        let hint = Some(format!("leave it out: `{star}{before}`")).filter(|_| !before.is_empty());
        return Some(Slip {
            hint,
            ..Slip::certain(value, "the path is compared without its query and fragment")
        });
    }
    let is_suffix = matches!(value, Shape::Suffix(_));
    let relative = !is_suffix && !text.starts_with('/');
    relative.then(|| {
        let hint = match text.strip_prefix('^') {
            Some(_) => {
                "paths are no regexes: write `/a`, `/a*`, `*a`, or a template such as `/a/{*}/b`".to_owned()
            }
            None => format!("write `/{value}` or `*{text}`"),
        };
        Slip::certain(value, "a path begins with a slash").hint(hint)
    })
}

/// Envoy refuses a slash in `:authority`.
fn host(value: &Shape<'_>) -> Option<Slip> {
    let (Shape::Exact(text) | Shape::Prefix(text) | Shape::Suffix(text)) = value else { return None };
    let slash = text.contains('/');
    let rest = text.split_once("://").map_or(&**text, |(_, rest)| rest);
    let host = rest.split('/').next().unwrap_or_default();
    slash.then(|| {
        let hint = Some(format!("write `{host}`"))
            .filter(|_| !host.is_empty() && !matches!(value, Shape::Suffix(_)));
        Slip { hint, ..Slip::certain(value, "a host has neither scheme nor path") }
    })
}

/// Istio puts `spiffe://` in front of what it compares with the certificate.
fn principal(value: &Shape<'_>) -> Option<Slip> {
    let (Shape::Exact(text) | Shape::Prefix(text) | Shape::Other(text)) = value else { return None };
    if let Some(rest) = text.strip_prefix("spiffe://") {
        let star = if matches!(value, Shape::Prefix(_)) { "*" } else { "" };
        let why = "a principal is written without `spiffe://`, which is put in front of it";
        return Some(Slip::certain(value, why).hint(format!("write `{rest}{star}`")));
    }
    let literal =
        matches!(value, Shape::Exact(_)) || (matches!(value, Shape::Other(_)) && !text.contains('*'));
    let parts: Vec<_> = text.split('/').collect();
    match parts.as_slice() {
        _ if !literal => None,
        ["ns", _, "sa", _] => Some(
            Slip::likely(value, "it has no trust domain")
                .hint(format!("write `*/{text}`, or a trust domain in front")),
        ),
        [_] => Some(
            Slip::likely(value, "an identity looks like `cluster.local/ns/default/sa/name`")
                .hint("`serviceAccounts` and `namespaces` take plain names".to_owned()),
        ),
        _ => None,
    }
}

/// What stands before the last slash is the issuer, what follows it the subject.
fn request_principal(value: &Shape<'_>) -> Option<Slip> {
    let Shape::Pair(pair) = value else { return None };
    match (&pair.0, &pair.1) {
        (Shape::Exact(issuer), Shape::Exact(subject)) if subject.is_empty() => {
            let why = "it is read as an issuer with an empty subject";
            Some(
                Slip::likely(value, why).hint(format!("write `{issuer}/*` for every subject of this issuer")),
            )
        }
        (Shape::Exact(issuer), subject) if issuer.ends_with(":/") => {
            let why = "it is split at its last slash, and that is one of `://`";
            let rest = match subject {
                Shape::Prefix(text) | Shape::Exact(text) => &**text,
                _ => "",
            };
            let hint = Some(format!("write `{issuer}/{rest}/*` for every subject of this issuer"));
            Some(Slip { hint: hint.filter(|_| !rest.is_empty()), ..Slip::likely(value, why) })
        }
        _ => None,
    }
}

/// Envoy keeps the name in lower case.
fn server_name(value: &Shape<'_>) -> Option<Slip> {
    let (Shape::Exact(text) | Shape::Prefix(text) | Shape::Suffix(text)) = value else { return None };
    let capitals = text.bytes().any(|byte| byte.is_ascii_uppercase());
    capitals.then(|| {
        let hint = format!("write `{}`", value.to_string().to_ascii_lowercase());
        Slip::certain(value, "server names are compared in lower case").hint(hint)
    })
}

/// A token of RFC 9110, or one of the pseudo headers that Envoy has for a request.
fn is_header_name(name: &str) -> bool {
    let pseudo = [":authority", ":method", ":path", ":scheme", ":protocol"];
    pseudo.contains(&name) || outrigger_api::is_token(name)
}
