//! Single values of an AuthorizationPolicy, and its conditions.

use super::{
    cursor::{Cursor, shorten},
    object::Object,
};
use crate::types::authorization_policy::{
    Condition, Glob, MetadataPattern, PathPattern, RequestPrincipal, ServiceAccount, TemplateSegment,
    ValuePattern, Values,
};

/// How many service accounts Istio takes, and how long each may be.
const MOST_ACCOUNTS: usize = 16;
const LONGEST_ACCOUNT: usize = 320;

pub(crate) fn pattern(value: &Cursor<'_>) -> Option<ValuePattern> {
    value.non_empty().map(|text| ValuePattern::parse(&text))
}

pub(crate) fn request_principal(value: &Cursor<'_>) -> Option<RequestPrincipal> {
    value.non_empty().map(|text| RequestPrincipal::parse(&text))
}

pub(crate) fn glob(value: &Cursor<'_>) -> Option<Glob> {
    value.non_empty().map(Glob)
}

/// Ports stand as text here.
pub(crate) fn port(value: &Cursor<'_>) -> Option<u16> {
    value.parsed(|text| {
        let digits = !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
        text.parse().ok().filter(|_| digits).ok_or_else(|| "is not a port within 0 and 65535".to_owned())
    })
}

/// At most one star, at one of the ends. Under `when` Istio takes a slash too, and compares what follows it with the
/// path of the identity: refused here, since it is not the trust domain that would be compared.
pub(crate) fn trust_domain(value: &Cursor<'_>) -> Option<ValuePattern> {
    value.parsed(|text| {
        if text.is_empty() {
            return Err("must not be empty".to_owned());
        }
        let inner = text.strip_prefix('*').or_else(|| text.strip_suffix('*')).unwrap_or(text);
        if inner.contains('*') {
            return Err("has a star which is not its only one, at one of its ends".to_owned());
        }
        if text.contains('/') {
            return Err("is no trust domain: it has a slash".to_owned());
        }
        Ok(ValuePattern::parse(text))
    })
}

pub(crate) fn service_accounts(fields: &Object<'_>, name: &'static str) -> Vec<ServiceAccount> {
    fields.get(name, |field| Some(service_account_list(field))).unwrap_or_default()
}

fn service_account_list(field: &Cursor<'_>) -> Vec<ServiceAccount> {
    let accounts = field.list(service_account);
    if accounts.len() > MOST_ACCOUNTS {
        field.error(format_args!("more than {MOST_ACCOUNTS} service accounts"));
    }
    accounts
}

fn service_account(value: &Cursor<'_>) -> Option<ServiceAccount> {
    value.parsed(|text| {
        let (namespace, name) = text.split_once('/').unwrap_or((value.namespace(), text));
        if text.len() > LONGEST_ACCOUNT {
            Err(format!("is longer than {LONGEST_ACCOUNT} characters"))
        } else if text.contains('*') {
            Err("has a wildcard, which a service account must not".to_owned())
        } else if namespace.is_empty() || name.is_empty() || name.contains('/') {
            Err("is not a service account like `name` or `namespace/name`".to_owned())
        } else {
            Ok(ServiceAccount { namespace: namespace.to_owned(), name: name.to_owned() })
        }
    })
}

/// A path, or a template of one.
pub(crate) fn path(value: &Cursor<'_>) -> Option<PathPattern> {
    value.parsed(parse_path)
}

pub(crate) fn parse_path(text: &str) -> Result<PathPattern, String> {
    if text.is_empty() {
        return Err("must not be empty".to_owned());
    }
    let is_template = text.contains("{*}") || text.contains("{**}");
    let mut segments = Vec::new();
    let mut many = false;
    let inner = text.strip_prefix('/').unwrap_or(text);
    for segment in inner.strip_suffix('/').unwrap_or(inner).split('/') {
        segments.push(match segment {
            "{*}" | "{**}" if many => {
                return Err("has an operator after `{**}`, which must be the last".to_owned());
            }
            "{*}" => TemplateSegment::One,
            "{**}" => {
                many = true;
                TemplateSegment::Many
            }
            _ if segment.contains(['{', '}']) => {
                return Err("has a brace outside of the operators `{*}` and `{**}`".to_owned());
            }
            _ if is_template && !is_literal(segment) => {
                return Err(format!(
                    "has the segment `{}`, which can't stand in a template",
                    shorten(segment)
                ));
            }
            _ => TemplateSegment::Literal(segment.to_owned()),
        });
    }
    if !is_template {
        return Ok(PathPattern::Value(ValuePattern::parse(text)));
    }
    if !text.starts_with('/') {
        return Err("is a template without a leading slash, which no path matches".to_owned());
    }
    if text.ends_with('/') {
        segments.push(TemplateSegment::Literal(String::new()));
    }
    Ok(PathPattern::Template(segments))
}

/// RFC 3986's characters of a path segment, as Istio lists them.
fn is_literal(segment: &str) -> bool {
    let good = |letter: u8| letter.is_ascii_alphanumeric() || b"-._~%!$&'()+,;:@=".contains(&letter);
    !segment.is_empty() && segment.bytes().all(good)
}

/// One entry of `when`.
pub(crate) fn condition(entry: &Cursor<'_>) -> Option<Condition> {
    entry.object(|fields| {
        let key = fields.required("key", |at| at.non_empty());
        let lists = ["values", "notValues"];
        let is_empty =
            |name| fields.get(name, |list| Some(list.node.value == crate::node::Value::Sequence(Vec::new())));
        if lists.iter().all(|name| is_empty(name).unwrap_or(true)) {
            entry.error("missing `values` or `notValues`: one of them is needed");
        }
        for name in lists {
            fields.skip(name);
        }
        let key = key?;
        let condition = known_condition(&key, fields);
        if condition.is_none() {
            fields.get("key", |field| {
                unknown_key(field, &key);
                Some(())
            });
        }
        condition
    })
}

const KEYS: [&str; 14] = [
    "source.ip",
    "remote.ip",
    "source.namespace",
    "source.serviceAccount",
    "source.trustDomain",
    "source.principal",
    "request.headers[NAME]",
    "request.auth.principal",
    "request.auth.audiences",
    "request.auth.presenter",
    "request.auth.claims[NAME]",
    "destination.ip",
    "destination.port",
    "connection.sni",
];

fn known_condition(key: &str, fields: &Object<'_>) -> Option<Condition> {
    let patterns = || both(fields, pattern);
    Some(match key {
        "source.ip" => Condition::SourceIp(both(fields, |at| at.ip_block())),
        "remote.ip" => Condition::RemoteIp(both(fields, |at| at.ip_block())),
        "source.namespace" => Condition::SourceNamespace(both(fields, glob)),
        "source.serviceAccount" => Condition::SourceServiceAccount(Values {
            values: service_accounts(fields, "values"),
            not_values: service_accounts(fields, "notValues"),
        }),
        "source.trustDomain" => Condition::SourceTrustDomain(both(fields, trust_domain)),
        "source.principal" => Condition::SourcePrincipal(patterns()),
        "request.auth.principal" => Condition::RequestPrincipal(both(fields, request_principal)),
        "request.auth.audiences" => Condition::RequestAudiences(patterns()),
        "request.auth.presenter" => Condition::RequestPresenter(patterns()),
        "destination.ip" => Condition::DestinationIp(both(fields, |at| at.ip_block())),
        "destination.port" => Condition::DestinationPort(both(fields, port)),
        "connection.sni" => Condition::ConnectionSni(patterns()),
        _ => return bracketed_condition(key, fields),
    })
}

fn bracketed_condition(key: &str, fields: &Object<'_>) -> Option<Condition> {
    let (name, rest) = key.split_once('[')?;
    let inner = rest.strip_suffix(']').filter(|inner| !inner.is_empty())?;
    match name {
        "request.headers" if !inner.contains(['[', ']']) => {
            Some(Condition::RequestHeader(inner.to_ascii_lowercase(), both(fields, pattern)))
        }
        "request.auth.claims" => {
            let path: Vec<String> = inner.split("][").map(str::to_owned).collect();
            let good = path.iter().all(|claim| !claim.is_empty() && !claim.contains(['[', ']']));
            good.then(|| Condition::RequestClaim(path, both(fields, pattern)))
        }
        _ => {
            let filter =
                name.strip_prefix("experimental.").filter(|filter| filter.len() > "envoy.filters.".len())?;
            filter.starts_with("envoy.filters.").then(|| Condition::EnvoyMetadata {
                filter: filter.to_owned(),
                key: inner.to_owned(),
                values: both(fields, metadata),
            })
        }
    }
}

fn metadata(value: &Cursor<'_>) -> Option<MetadataPattern> {
    let text = value.non_empty()?;
    Some(match text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        // All of them, as Istio does.
        Some(inner) => MetadataPattern::ListContains(ValuePattern::parse(inner.trim_matches(['[', ']']))),
        None => MetadataPattern::Value(ValuePattern::parse(&text)),
    })
}

fn both<T>(fields: &Object<'_>, decode: fn(&Cursor<'_>) -> Option<T>) -> Values<T> {
    Values { values: fields.list("values", decode), not_values: fields.list("notValues", decode) }
}

fn unknown_key(field: &Cursor<'_>, key: &str) {
    let meant = super::suggest::nearest(key, &KEYS);
    let hint = match key.split_once('[').map_or(key, |(name, _)| name) {
        "request.headers" => "write it like `request.headers[x-name]`".to_owned(),
        "request.auth.claims" => {
            "write it like `request.auth.claims[group]`, or with one more pair of brackets for each level"
                .to_owned()
        }
        "destination.labels" => "use the policy's `selector`".to_owned(),
        "destination.namespace" => "put the policy into that namespace".to_owned(),
        _ => meant.map_or_else(
            || format!("one of {}", KEYS.join(", ")),
            |meant| format!("did you mean `{meant}`?"),
        ),
    };
    field.error_hint(format_args!("unknown key `{}`", shorten(key)), hint);
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn literal(text: &str) -> TemplateSegment {
        TemplateSegment::Literal(text.to_owned())
    }

    #[test]
    fn templates() {
        use TemplateSegment::{Many, One};
        for (text, expected) in [
            ("/a/{*}", Some(PathPattern::Template(vec![literal("a"), One]))),
            ("/a/{**}", Some(PathPattern::Template(vec![literal("a"), Many]))),
            ("/store/{**}/cart", Some(PathPattern::Template(vec![literal("store"), Many, literal("cart")]))),
            ("/{*}/{**}", Some(PathPattern::Template(vec![One, Many]))),
            ("/a/{*}/", Some(PathPattern::Template(vec![literal("a"), One, literal("")]))),
            ("/a*", Some(PathPattern::Value(ValuePattern::Prefix("/a".to_owned())))),
            ("*/a", Some(PathPattern::Value(ValuePattern::Suffix("/a".to_owned())))),
            ("*", Some(PathPattern::Value(ValuePattern::Any))),
            ("/a//b", Some(PathPattern::Value(ValuePattern::Exact("/a//b".to_owned())))),
            ("/{**}/{*}", None),
            ("/{**}/{**}", None),
            ("/a{*}", None),
            ("/{name}", None),
            ("/a}", None),
            ("/a/{*}/b*", None),
            ("/a//{*}", None),
            ("//a/{*}", None),
            ("a/{*}", None),
            ("/é/{*}", None),
            ("", None),
        ] {
            assert_eq!(parse_path(text).ok(), expected, "{text}");
        }
    }
}
