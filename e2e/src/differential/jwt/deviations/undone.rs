//! What a rule has done before one of several tokens failed: with Envoy it stays done, here it never happened.
//!
//! A rule verifies its tokens one by one; each good one is taken out and its claims are written. Fails a later one, the
//! next rule finds the request so. And if no rule takes it, all are asked again, for whom a missing token will do: that
//! of the failed rule may be among those that were taken out, as when both are lines of one header.

use percent_encoding::percent_decode;
use serde_json::Value;

use super::{Configuration, Request, fields, reference};

const UNDONE: &str = "what a rule did before it failed";

/// Whether some rule finds two or more tokens in `request`.
pub(super) fn name(configuration: &Configuration, request: &Request) -> Option<&'static str> {
    let rules = reference::rules(configuration).unwrap_or_default();
    rules.into_iter().any(|rule| found(rule, request) > 1).then_some(UNDONE)
}

/// How many tokens `rule` finds in headers, parameters and cookies, at least.
fn found(rule: &Value, request: &Request) -> usize {
    let headers = fields::items(rule, "fromHeaders");
    let texts = |field| fields::items(rule, field).iter().filter_map(Value::as_str);
    let (mut parameters, cookies): (Vec<&str>, Vec<&str>) =
        (texts("fromParams").collect(), texts("fromCookies").collect());
    let mut places: Vec<_> =
        headers.iter().map(|header| (fields::text(header, "name"), fields::text(header, "prefix"))).collect();
    if places.is_empty() && parameters.is_empty() && cookies.is_empty() {
        places.push(("authorization", "Bearer "));
        parameters.push("access_token");
    }
    let lines = request.headers.iter().map(|(name, value)| {
        let fits = |(place, prefix): &&(&str, &str)| {
            name.eq_ignore_ascii_case(place) && contains(value, prefix.as_bytes())
        };
        places.iter().filter(fits).count()
    });
    let query = request.target.split(|byte| b"?&".contains(byte)).skip(1);
    let named = query.filter(|pair| {
        let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default();
        let name: Vec<u8> = percent_decode(name).collect();
        parameters.iter().any(|parameter| parameter.as_bytes() == name)
    });
    let sent = request.headers.iter().filter(|(name, _)| name == "cookie");
    let pairs = sent.flat_map(|(_, value)| value.split(|byte| *byte == b';')).map(<[u8]>::trim_ascii_start);
    let named_cookies = pairs.filter(|pair| {
        cookies
            .iter()
            .any(|cookie| pair.strip_prefix(cookie.as_bytes()).is_some_and(|rest| rest.starts_with(b"=")))
    });
    lines.sum::<usize>() + named.count() + named_cookies.count()
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    part.is_empty() || text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::super::wire::Wire;
    use super::*;

    #[test]
    fn tokens_are_counted_by_rule() {
        let request = Request {
            port: 80,
            method: "GET".to_owned(),
            target: b"/?access_token=1&t%6b=2&x".to_vec(),
            host: Vec::new(),
            headers: [("X-A", "p1"), ("x-a", "1"), ("Authorization", "xBearer 1"), ("cookie", "c=1; d=2; c")]
                .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
                .to_vec(),
            wire: Wire::default(),
        };
        for (rule, count) in [
            (json!({}), 2),
            (json!({"fromHeaders": [{"name": "x-a"}]}), 2),
            (json!({"fromHeaders": [{"name": "x-a", "prefix": "p"}]}), 1),
            (json!({"fromParams": ["tk"], "fromCookies": ["c", "d"]}), 3),
            (json!({"fromCookies": ["e"]}), 0),
        ] {
            assert_eq!(found(&rule, &request), count, "{rule}");
        }
    }
}
