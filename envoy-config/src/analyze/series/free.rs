//! Which expressions have values without end: those that hand an attribute on that callers choose.

use std::ops::Range;

/// Attributes of Envoy's that callers, or the moment, choose; a trailing dot: all below.
const FREE: &[&str] = &[
    "request.path",
    "request.url_path",
    "request.host",
    "request.headers",
    "request.referer",
    "request.useragent",
    "request.id",
    "request.query",
    "request.time",
    "request.duration",
    "request.size",
    "request.total_size",
    "response.headers",
    "response.trailers",
    "response.size",
    "response.total_size",
    "response.backend_latency",
    "source.address",
    "source.port",
    "connection.id",
    "upstream.local_address",
    "connection.requested_server_name",
    "connection.subject_peer_certificate",
];

/// The first attribute without bound in `expression` that its value can hold, as it is written there. What is only
/// compared has no part in the value.
pub(super) fn attribute_in(expression: &str) -> Option<&str> {
    let text = Masked::new(expression);
    value(&text, 0..expression.len())
}

/// An expression, and the same with its texts and what stands in brackets blotted out.
struct Masked<'a> {
    text: &'a str,
    /// As long as the text. Within quotes, parentheses and brackets there are blanks.
    outside: Vec<u8>,
    /// Only within quotes.
    unquoted: Vec<u8>,
}

impl<'a> Masked<'a> {
    fn new(text: &'a str) -> Self {
        let (mut outside, mut unquoted) = (Vec::new(), Vec::new());
        let (mut depth, mut quote, mut escaped) = (0u32, None, false);
        for byte in text.bytes() {
            let inside = match quote {
                Some(end) => {
                    if byte == end && !escaped {
                        quote = None;
                    }
                    escaped = byte == b'\\' && !escaped;
                    true
                }
                None => {
                    quote = matches!(byte, b'\'' | b'"').then_some(byte);
                    quote.is_some()
                }
            };
            if !inside && matches!(byte, b')' | b']' | b'}') {
                depth = depth.saturating_sub(1);
            }
            unquoted.push(if inside { b' ' } else { byte });
            outside.push(if inside || depth > 0 { b' ' } else { byte });
            if !inside && matches!(byte, b'(' | b'[' | b'{') {
                depth += 1;
            }
        }
        Self { text, outside, unquoted }
    }

    fn part(&self, range: &Range<usize>) -> &'a str {
        self.text.get(range.clone()).unwrap_or_default()
    }

    /// Where one of `signs` stands outside of everything.
    fn find(&self, range: &Range<usize>, signs: &[&str]) -> Option<usize> {
        let bytes = self.outside.get(range.clone())?;
        let at = |place: &usize| {
            let rest = bytes.get(*place..).unwrap_or_default();
            signs.iter().any(|sign| rest.starts_with(sign.as_bytes()))
        };
        (0..bytes.len()).find(at).map(|place| range.start + place)
    }
}

fn value<'a>(text: &Masked<'a>, range: Range<usize>) -> Option<&'a str> {
    if let Some(at) = text.find(&range, &["?"]) {
        let after = at + 1..range.end;
        let colon = text.find(&after, &[":"]).unwrap_or(range.end);
        return value(text, at + 1..colon)
            .or_else(|| value(text, colon.saturating_add(1).min(range.end)..range.end));
    }
    let part = text.part(&range);
    let inner = part.trim();
    if let Some(inside) = inner.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        let start = range.start + part.find('(').unwrap_or(0) + 1;
        // `(a) + (b)` is not one thing in parentheses.
        if text.find(&range, &[")"]).is_none_or(|end| end + 1 == start + inside.len() + 1) {
            return attribute_in(inside);
        }
    }
    if is_boolean(text, &range) { None } else { mentioned(text, &range) }
}

/// A comparison, a test or a count of such has two values.
fn is_boolean(text: &Masked<'_>, range: &Range<usize>) -> bool {
    const TESTS: [&str; 5] = [".startsWith(", ".endsWith(", ".contains(", ".matches(", "has("];
    let part = text.part(range).trim();
    let compares = text.find(range, &["==", "!=", "<", ">", "&&", "||", " in "]).is_some();
    compares || part.starts_with('!') || (part.ends_with(')') && text.find(range, &TESTS).is_some())
}

/// The first free attribute outside of quotes, with its key if it has one.
fn mentioned<'a>(text: &Masked<'a>, range: &Range<usize>) -> Option<&'a str> {
    let code = std::str::from_utf8(text.unquoted.get(range.clone())?).ok()?;
    let name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let found = FREE.iter().flat_map(|attribute| code.match_indices(attribute)).filter(|(at, attribute)| {
        let before = code.get(..*at).and_then(|before| before.chars().next_back());
        let after = code.get(at + attribute.len()..).and_then(|after| after.chars().next());
        !before.is_some_and(|c| name(c) || c == '.') && !after.is_some_and(name)
    });
    let (at, attribute) = found.min_by_key(|(at, _)| *at)?;
    let start = range.start + at;
    let end = start + attribute.len();
    let rest = text.text.get(end..range.end)?;
    let key = rest.strip_prefix('[').and_then(|rest| rest.find(']'));
    text.text.get(start..key.map_or(end, |key| end + key + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_without_bound_are_found() {
        for (expression, found) in [
            ("request.path", Some("request.path")),
            (" request.url_path ", Some("request.url_path")),
            ("request.headers['x-team']", Some("request.headers['x-team']")),
            ("source.address", Some("source.address")),
            ("'v' + request.host", Some("request.host")),
            ("string(request.size)", Some("request.size")),
            ("(request.query)", Some("request.query")),
            ("request.method == 'GET' ? request.path : 'other'", Some("request.path")),
            ("request.path == '/a' ? 'a' : (request.path == '/b' ? 'b' : request.id)", Some("request.id")),
            ("has(request.headers['a']) ? request.headers['a'] : 'none'", Some("request.headers['a']")),
            ("(request.host) + (request.path)", Some("request.host")),
            ("request.headers['é\"'] + ''", Some("request.headers['é\"']")),
        ] {
            assert_eq!(attribute_in(expression), found, "{expression}");
        }
    }

    #[test]
    fn values_that_can_be_counted_are_left_in_peace() {
        for expression in [
            "'request.path'",
            "\"it's request.path\"",
            "request.method",
            "response.code",
            "request.protocol",
            "xds.route_name",
            "destination.port",
            "request.path == '/a'",
            "request.path.startsWith('/a')",
            "has(request.headers['x'])",
            "!request.path.startsWith('/a')",
            "request.headers['x'] in ['a', 'b']",
            "request.path.startsWith('/a') ? 'a' : 'other'",
            "request.path == '/a' ? 'a' : request.path == '/b' ? 'b' : 'other'",
            "(request.host == 'a' && request.path == '/b') ? 'both' : 'not'",
            "filter_state.request.path_of",
            "my.request.path",
            "request.path_template",
            "",
            "'",
            "((",
            "?",
        ] {
            assert_eq!(attribute_in(expression), None, "{expression}");
        }
    }
}
