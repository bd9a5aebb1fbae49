//! What a rule demands of a request besides its path.

use outrigger_api::types::common::StringMatch;

use crate::Request;
use crate::matching::index::{Key, Subject as Looked, Test as Asked};
use crate::matching::string::StringMatcher;

/// One demand.
#[derive(Debug)]
pub struct Condition {
    subject: Subject,
    test: Test,
    negated: bool,
}

/// What is looked at.
#[derive(Debug)]
enum Subject {
    /// A header, pseudo headers among them.
    Header(Box<str>),
    /// A query parameter.
    Query(Box<str>),
    /// A claim of the verified token, by its path.
    Claim(Box<[String]>),
    /// The service's port.
    Port,
}

#[derive(Debug)]
enum Test {
    Present,
    Matches { matcher: StringMatcher, spec: StringMatch },
    Port(u16),
}

impl Condition {
    /// A `headers` entry: some line of the header matches.
    ///
    /// # Errors
    /// The regex, if it can't be matched against bytes.
    pub fn header(name: &str, spec: &StringMatch) -> Result<Self, String> {
        // Envoy keeps HTTP/1's `Host` as `:authority`.
        let name = if name == "host" { ":authority" } else { name };
        Ok(Self { subject: Subject::Header(name.into()), test: Test::new(spec)?, negated: false })
    }

    /// A `withoutHeaders` entry: no line of the header matches, an absent header counting as an empty one; or, for
    /// [`StringMatch::Present`], the header is absent.
    ///
    /// # Errors
    /// As [`Condition::header`].
    pub fn without_header(name: &str, spec: &StringMatch) -> Result<Self, String> {
        Self::header(name, spec).map(|condition| Self { negated: true, ..condition })
    }

    /// A `queryParams` entry: the first value matches, undecoded.
    ///
    /// # Errors
    /// As [`Condition::header`].
    pub fn query(name: &str, spec: &StringMatch) -> Result<Self, String> {
        Ok(Self { subject: Subject::Query(name.into()), test: Test::new(spec)?, negated: false })
    }

    /// A `headers` entry about a claim of the verified token: it is a text that matches, or a list with one. Without
    /// a token, without the claim and for claims of other types it does not hold, and `negated` (`withoutHeaders`)
    /// it does.
    ///
    /// # Errors
    /// As [`Condition::header`], and for [`StringMatch::Present`], which Envoy has no claim matcher for.
    pub fn claim(path: &[String], spec: &StringMatch, negated: bool) -> Result<Self, String> {
        match Test::new(spec)? {
            Test::Present => Err("a claim can't be asked for with any value".to_owned()),
            test => Ok(Self { subject: Subject::Claim(path.into()), test, negated }),
        }
    }

    /// Whether it looks at the verified token.
    pub fn reads_claims(&self) -> bool {
        matches!(self.subject, Subject::Claim(_))
    }

    /// The service's port, where one listener serves many.
    pub fn port(port: u16) -> Self {
        Self { subject: Subject::Port, test: Test::Port(port), negated: false }
    }

    /// Whether it is one that no request to the service's `port` fulfils.
    pub fn excludes_port(&self, port: u16) -> bool {
        matches!(self.test, Test::Port(wanted) if wanted != port)
    }

    /// Whether it holds for a request to the service's `port`.
    pub fn holds(&self, request: &Request<'_>, port: Option<u16>) -> bool {
        match (&self.subject, &self.test) {
            (_, Test::Port(wanted)) => port == Some(*wanted),
            (Subject::Header(name), Test::Present) => {
                request.header(name.as_bytes()).is_some() != self.negated
            }
            (Subject::Query(name), Test::Present) => request.query_parameter(name.as_bytes()).is_some(),
            (Subject::Header(name), Test::Matches { matcher, .. }) => {
                let mut lines = request.header_lines(name.as_bytes()).peekable();
                let absent = lines.peek().is_none();
                if self.negated {
                    let matches =
                        if absent { matcher.matches(b"") } else { lines.any(|line| matcher.matches(line)) };
                    return !matches;
                }
                lines.any(|line| matcher.matches(line))
            }
            (Subject::Query(name), Test::Matches { matcher, .. }) => {
                request.query_parameter(name.as_bytes()).is_some_and(|value| matcher.matches(value))
            }
            (Subject::Claim(path), Test::Matches { matcher, .. }) => {
                let found = request
                    .identity()
                    .is_some_and(|identity| identity.any_text(path, |text| matcher.matches(text)));
                found != self.negated
            }
            // Never made.
            (Subject::Claim(_), Test::Present) | (Subject::Port, _) => false,
        }
    }

    /// What the index files it under, as the `demand`th demand. `None`: what must not be is nothing to look for.
    pub fn key(&self, demand: usize) -> Option<Key<'_>> {
        if self.negated {
            return None;
        }
        let subject = match &self.subject {
            Subject::Header(name) => Looked::Header(&**name),
            Subject::Query(name) => Looked::Query(&**name),
            Subject::Claim(path) => Looked::Claim(&**path),
            Subject::Port => Looked::Port,
        };
        let test = match &self.test {
            Test::Present => Asked::Prefix(b"".into()),
            Test::Port(port) => Asked::Exact(port.to_be_bytes().to_vec().into()),
            Test::Matches { spec, .. } => match spec {
                StringMatch::Present => Asked::Prefix(b"".into()),
                StringMatch::Exact(value) => Asked::Exact(value.as_bytes().into()),
                StringMatch::Prefix(value) => Asked::Prefix(value.as_bytes().into()),
                StringMatch::Regex(source) => Asked::Regex(source.as_str()),
            },
        };
        Some(Key { demand, subject, test })
    }

    /// What is looked at, in words.
    pub fn what(&self) -> String {
        match &self.subject {
            Subject::Port => "port".to_owned(),
            Subject::Header(name) => format!("header `{name}`"),
            Subject::Claim(path) => format!("claim `{}`", path.join(".")),
            Subject::Query(name) => format!("query parameter `{name}`"),
        }
    }

    /// Why it does not hold: what is demanded, and what the request has.
    pub fn failure(&self, request: &Request<'_>, port: Option<u16>) -> String {
        let what = self.what();
        let seen = match &self.subject {
            Subject::Port => port.map(|port| port.to_string()),
            Subject::Header(name) => {
                let lines: Vec<_> = request.header_lines(name.as_bytes()).map(quoted).collect();
                (!lines.is_empty()).then(|| lines.join(", "))
            }
            Subject::Claim(path) => {
                let seen = request.identity().and_then(|identity| identity.claim(path));
                seen.map(|claim| format!("`{claim}`"))
            }
            Subject::Query(name) => request.query_parameter(name.as_bytes()).map(quoted),
        };
        let wanted = match &self.test {
            Test::Present if self.negated => "absence".to_owned(),
            Test::Present => "any value".to_owned(),
            Test::Port(port) => port.to_string(),
            Test::Matches { spec, .. } if self.negated => format!("anything but {}", described(spec)),
            Test::Matches { spec, .. } => described(spec),
        };
        format!("{what} is {}, not {wanted}", seen.as_deref().unwrap_or("absent"))
    }
}

impl Test {
    fn new(spec: &StringMatch) -> Result<Self, String> {
        if *spec == StringMatch::Present {
            return Ok(Self::Present);
        }
        let matcher = StringMatcher::new(spec, false).map_err(|error| error.to_string())?;
        Ok(Self::Matches { matcher, spec: spec.clone() })
    }
}

fn quoted(value: &[u8]) -> String {
    format!("`{}`", value.escape_ascii())
}

fn described(spec: &StringMatch) -> String {
    match spec {
        StringMatch::Exact(value) => format!("`{value}`"),
        StringMatch::Prefix(value) => format!("prefix `{value}`"),
        StringMatch::Regex(source) => format!("regex `{source}`"),
        StringMatch::Present => "any value".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::Connection;
    use crate::jwt::Identity;

    fn exact(value: &str) -> StringMatch {
        StringMatch::Exact(value.to_owned())
    }

    fn prefix(value: &str) -> StringMatch {
        StringMatch::Prefix(value.to_owned())
    }

    fn holds(condition: &Condition, lines: &[&[u8]]) -> bool {
        let mut headers = vec![(&b":path"[..], &b"/a?q=1&q=2&empty=&flag&enc=fo%6F"[..])];
        headers.extend(lines.iter().map(|line| (&b"x-role"[..], *line)));
        condition.holds(&Request::new(&headers, &Connection::UNKNOWN), Some(80))
    }

    #[test]
    fn headers_match_line_by_line() {
        for (spec, lines, fits) in [
            (exact("admin"), &[&b"admin"[..]][..], true),
            (exact("admin"), &[b"user", b"admin"], true),
            (exact("admin"), &[b"user,admin"], false),
            (exact("admin"), &[b"Admin"], false),
            (exact("admin"), &[], false),
            (exact(""), &[], false),
            (exact(""), &[b""], true),
            (prefix("ad"), &[b"admin"], true),
            (prefix("ad"), &[b"\xff\x80", b"ad\xff"], true),
            (StringMatch::Present, &[b""], true),
            (StringMatch::Present, &[], false),
        ] {
            assert_eq!(
                holds(&Condition::header("x-role", &spec).unwrap(), lines),
                fits,
                "{spec:?} {lines:?}"
            );
        }
    }

    #[test]
    fn without_headers_take_an_absent_header_as_empty() {
        for (spec, lines, fits) in [
            (exact("admin"), &[&b"admin"[..]][..], false),
            (exact("admin"), &[b"user", b"admin"], false),
            (exact("admin"), &[b"user", b"guest"], true),
            (exact("admin"), &[], true),
            (exact(""), &[], false),
            (exact(""), &[b"x"], true),
            (prefix("ad"), &[], true),
            (StringMatch::Present, &[], true),
            (StringMatch::Present, &[b""], false),
        ] {
            let condition = Condition::without_header("x-role", &spec).unwrap();
            assert_eq!(holds(&condition, lines), fits, "{spec:?} {lines:?}");
            assert_eq!(condition.key(1), None);
        }
    }

    #[test]
    fn query_parameters_match_undecoded_by_their_first_value() {
        for (name, spec, fits) in [
            ("q", exact("1"), true),
            ("q", exact("2"), false),
            ("empty", exact(""), true),
            ("flag", exact(""), true),
            ("flag", StringMatch::Present, true),
            ("enc", exact("foo"), false),
            ("enc", exact("fo%6F"), true),
            ("missing", exact(""), false),
            ("missing", StringMatch::Present, false),
        ] {
            assert_eq!(holds(&Condition::query(name, &spec).unwrap(), &[]), fits, "{name} {spec:?}");
        }
    }

    #[test]
    fn ports_and_the_host_header() {
        assert!(holds(&Condition::port(80), &[]));
        assert!(!holds(&Condition::port(8080), &[]));
        let headers = [(&b":authority"[..], &b"a.example:80"[..])];
        let request = Request::new(&headers, &Connection::UNKNOWN);
        assert!(Condition::header("host", &exact("a.example:80")).unwrap().holds(&request, None));
        assert!(!Condition::header(":authority", &exact("a.example")).unwrap().holds(&request, None));
    }

    #[test]
    fn claims_match_texts_and_lists_and_negate_to_what_is_left() {
        let claims = serde_json::json!({"sub": "ann", "roles": ["admin", "dev"], "n": 1, "a": {"b": "c"}});
        let identity = Identity::from(claims.as_object().cloned().unwrap());
        for (path, spec, identity, fits) in [
            ("sub", exact("ann"), Some(&identity), true),
            ("sub", exact("bob"), Some(&identity), false),
            ("sub", prefix("a"), Some(&identity), true),
            ("roles", exact("dev"), Some(&identity), true),
            ("roles", exact("admin,dev"), Some(&identity), false),
            ("roles", prefix("de"), Some(&identity), true),
            ("n", exact("1"), Some(&identity), false),
            ("a.b", exact("c"), Some(&identity), true),
            ("a", exact("c"), Some(&identity), false),
            ("none", exact(""), Some(&identity), false),
            ("sub", exact("ann"), None, false),
        ] {
            let path: Vec<String> = path.split('.').map(str::to_owned).collect();
            let request = Request::new(&[], &Connection::UNKNOWN).with_identity(identity);
            for negated in [false, true] {
                let condition = Condition::claim(&path, &spec, negated).unwrap();
                assert_eq!(condition.holds(&request, None), fits != negated, "{path:?} {spec:?} {negated}");
                assert!(condition.reads_claims());
            }
        }
        assert!(Condition::claim(&["sub".to_owned()], &StringMatch::Present, true).is_err());
    }

    #[test]
    fn failures_say_what_was_seen() {
        let headers = [(&b"end-user"[..], &b"eve\xff"[..])];
        let request = Request::new(&headers, &Connection::UNKNOWN);
        let failure = |condition: Result<Condition, String>| condition.unwrap().failure(&request, None);
        assert_eq!(
            failure(Condition::header("end-user", &exact("jason"))),
            r"header `end-user` is `eve\xff`, not `jason`"
        );
        assert_eq!(
            failure(Condition::query("v", &prefix("2"))),
            "query parameter `v` is absent, not prefix `2`"
        );
        assert_eq!(
            failure(Condition::without_header("end-user", &StringMatch::Present)),
            r"header `end-user` is `eve\xff`, not absence"
        );
    }
}
