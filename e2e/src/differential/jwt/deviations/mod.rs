//! The deviations that are meant (the table in `filters/core/src/jwt/mod.rs`), each recognised by what causes it.

mod forwarded;
mod refused;
mod relaxed;
mod sent;
mod undone;

use super::super::answer::Answer;
use super::super::configuration::Configuration;
use super::super::fields;
use super::super::request::Request;
use super::{keys, reference};

/// Why the two answers differ, if all of it is meant.
pub(super) fn names(
    configuration: &Configuration,
    request: &Request,
    ours: &Answer,
    native: &Answer,
) -> Option<Vec<&'static str>> {
    let sent = sent::tokens(request);
    let one = |name: Option<&'static str>| name.map(|name| vec![name]);
    // Another rule is the one that takes the request or tells why not, since this token or this rule is another's.
    let elsewhere = || refused::alone(configuration, &sent).or_else(|| undone::name(configuration, request));
    match (reason(ours), reason(native)) {
        (Some(ours), Some(native)) => {
            one(refused::otherwise(configuration, &sent, ours, native).or_else(elsewhere))
        }
        (Some(_), None) => one(elsewhere()),
        (None, Some(_)) => one(elsewhere()),
        (None, None) => forwarded::names(configuration, request, ours, native).or_else(|| {
            // What a claim of such a token would be as a header may be what no header can be.
            let is_unusable = |answer: &Answer| {
                let told = answer.header("grpc-message").or(answer.body.first().map(Vec::as_slice));
                told.is_some_and(|told| told.starts_with(b"invalid header value for: "))
            };
            let is_by_rules = is_unusable(ours)
                || is_unusable(native)
                || forwarded::only_rules_differ(configuration, ours, native);
            one(is_by_rules.then(elsewhere).flatten())
        }),
    }
}

/// What a client is told that is refused because of its token.
fn reason(answer: &Answer) -> Option<&str> {
    answer.header("www-authenticate")?;
    let body = answer.body.first().map(Vec::as_slice).filter(|body| !body.is_empty());
    std::str::from_utf8(body.or_else(|| answer.header("grpc-message"))?).ok()
}

/// What stands in the tokens of `request`.
pub(super) fn told(request: &Request) -> String {
    let objects = sent::tokens(request).into_iter().filter(|sent| sent.header.trim_ascii().starts_with(b"{"));
    let mut lines: Vec<_> = objects
        .map(|sent| format!("token: {} {}\n", sent.header.escape_ascii(), sent.payload.escape_ascii()))
        .collect();
    lines.sort();
    lines.dedup();
    lines.concat()
}
