//! What came of a request.

use std::fmt;

use super::upstream::SERVICES;

/// A response, and in it what the upstream has seen; without what differs from one request to the next.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Answer {
    /// The status.
    pub(super) status: u16,
    /// The headers, sorted by name; lines of one name in their order.
    headers: Vec<(String, Vec<u8>)>,
    /// The request as the upstream has seen it, or the body.
    pub(super) body: Vec<Vec<u8>>,
}

/// Response headers that say nothing about the route.
const PASSING: &[&str] = &["date", "server", "x-envoy-upstream-service-time"];

impl Answer {
    /// The answer of a response.
    pub(super) fn new(status: u16, headers: Vec<(String, Vec<u8>)>, body: &[u8]) -> Self {
        let echoed = SERVICES.iter().any(|service| body.starts_with(service.host.as_bytes()));
        let mut headers = sorted(headers);
        let passing = |name: &str| PASSING.contains(&name) || (echoed && name == "content-length");
        headers.retain(|(name, _)| !passing(name));
        let body = if echoed { seen(body) } else { vec![body.to_vec()] };
        Self { status, headers, body }
    }

    /// What the upstream has seen of copies, in any order. Which endpoint of a service with a consistent hash they reach
    /// is left out: Envoy's routes hash no copies, ours do (`docs/routing.md`).
    pub(super) fn copies(seen: &[Vec<u8>]) -> Vec<Vec<Vec<u8>>> {
        let mut copies: Vec<_> = seen.iter().map(|copy| self::seen(copy)).collect();
        for line in copies.iter_mut().filter_map(|copy| copy.first_mut()) {
            let hashed = SERVICES
                .iter()
                .find(|service| service.hash.is_some() && line.starts_with(service.host.as_bytes()));
            if let Some(service) = hashed {
                *line = service.host.as_bytes().to_vec();
            }
        }
        copies.sort();
        copies
    }

    /// Adds [`Self::copies`].
    pub(super) fn add_copies(&mut self, copies: Vec<Vec<Vec<u8>>>) {
        for copy in copies {
            self.body.extend(copy.into_iter().map(|line| [b"copy: ", line.as_slice()].concat()));
        }
    }

    /// Whether the upstream has answered.
    pub(super) fn is_forwarded(&self) -> bool {
        self.header("content-type") == Some(b"text/x-seen")
    }

    /// The first header of this name, which has to be in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_slice())
    }

    /// The same, which is taken away.
    pub(super) fn take(&mut self, name: &str) -> Option<Vec<u8>> {
        let at = self.headers.iter().position(|(key, _)| key == name)?;
        Some(self.headers.remove(at).1)
    }

    fn lines(&self) -> Vec<String> {
        let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
        let headers = self.headers.iter().map(|(name, value)| format!("  {name}: {}", text(value)));
        let body = self.body.iter().map(|line| format!("  > {}", text(line)));
        std::iter::once(format!("  {}", self.status)).chain(headers).chain(body).collect()
    }

    /// The lines of `self` that `other` has not.
    pub(super) fn without(&self, other: &Self) -> String {
        let mut others = other.lines();
        let mut left = self.lines();
        left.retain(|line| match others.iter().position(|other| other == line) {
            Some(at) => {
                others.remove(at);
                false
            }
            None => true,
        });
        left.iter().map(|line| line.trim_start()).collect::<Vec<_>>().join(" | ")
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines().iter().try_for_each(|line| writeln!(formatter, "{line}"))
    }
}

/// The lines that the upstream sends back: its name, the request line, and headers in any order of names.
fn seen(body: &[u8]) -> Vec<Vec<u8>> {
    let mut lines = body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let mut seen: Vec<_> = lines.by_ref().take(2).map(<[u8]>::to_vec).collect();
    let headers = lines.map(|line| {
        let at = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        (String::from_utf8_lossy(&line[..at]).into_owned(), line[at..].to_vec())
    });
    let mut headers = sorted(headers.collect());
    headers.retain(|(name, _)| name != "x-request-id");
    seen.extend(headers.into_iter().map(|(name, value)| [name.as_bytes(), &value].concat()));
    seen
}

fn sorted(headers: Vec<(String, Vec<u8>)>) -> Vec<(String, Vec<u8>)> {
    let mut headers: Vec<_> =
        headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
    headers.sort_by(|one, other| one.0.cmp(&other.0));
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(headers: &[(&str, &str)], body: &str) -> Answer {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
        Answer::new(200, headers.collect(), body.as_bytes())
    }

    #[test]
    fn the_order_counts_within_a_name_only() {
        let one = answer(&[("A", "1"), ("b", "2"), ("a", "3"), ("date", "now")], "x");
        assert_eq!(one, answer(&[("b", "2"), ("a", "1"), ("a", "3"), ("date", "then")], "x"));
        assert_ne!(one, answer(&[("b", "2"), ("a", "3"), ("a", "1")], "x"));
        assert_eq!(one.without(&answer(&[("b", "2"), ("a", "1")], "y")), "a: 3 | > x");
    }

    #[test]
    fn what_the_upstream_saw_is_compared_without_what_is_new_each_time() {
        let host = SERVICES[0].host;
        let seen = |id: &str, a: &str| {
            let body = format!("{host}:80 v1\nGET / HTTP/1.1\nx-request-id: {id}\na: {a}\n");
            answer(&[("content-length", &id.len().to_string())], &body)
        };
        assert_eq!(seen("1", "x"), seen("22", "x"));
        assert_ne!(seen("1", "x"), seen("1", "y"));
    }
}
