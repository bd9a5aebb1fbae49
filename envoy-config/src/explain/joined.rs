//! Header lines that Envoy puts together.

/// Headers of which Envoy keeps one line: what comes in several is joined by commas, before any filter sees it. Found by
/// asking Envoy 1.40.
const JOINED: [&str; 22] = [
    "accept",
    "accept-encoding",
    "access-control-request-headers",
    "access-control-request-method",
    "authorization",
    "cache-control",
    "content-encoding",
    "content-type",
    "expect",
    "grpc-accept-encoding",
    "grpc-timeout",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "origin",
    "pragma",
    "referer",
    "user-agent",
    "via",
    "x-client-trace-id",
    "x-forwarded-for",
    "x-forwarded-host",
];

/// Joins those of `lines`, whose names are in lower case, where the first of each stands.
pub(super) fn join(lines: &mut Vec<(String, String)>) {
    let mut joined: Vec<(String, String)> = Vec::with_capacity(lines.len());
    for (name, value) in lines.drain(..) {
        let is_joined = JOINED.contains(&name.as_str());
        match joined.iter_mut().find(|(known, _)| is_joined && *known == name) {
            // An empty line adds no comma.
            Some((_, first)) if first.is_empty() => *first = value,
            Some(_) if value.is_empty() => {}
            Some((_, first)) => *first = format!("{first},{value}"),
            None => joined.push((name, value)),
        }
    }
    *lines = joined;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_lines_are_joined_and_others_stay() {
        let own = |lines: &[(&str, &str)]| -> Vec<(String, String)> {
            lines.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let mut lines = own(&[
            ("authorization", ""),
            ("authorization", "a"),
            ("x-a", "1"),
            ("cookie", "c"),
            ("authorization", "b"),
            ("authorization", ""),
            ("x-a", "2"),
        ]);
        join(&mut lines);
        assert_eq!(lines, own(&[("authorization", "a,b"), ("x-a", "1"), ("cookie", "c"), ("x-a", "2")]));
    }
}
