//! Where a rule looks for tokens, and how a token is taken out of the request again.

use std::borrow::Cow;

use outrigger_api::ordered;
use outrigger_api::types::request_authentication::JwtRule;
use percent_encoding::percent_decode;

use crate::Request;
use crate::verdict::HeaderOp;

/// The places of one rule. Each kind is sorted, as Envoy sorts them; that decides which failure of several is told.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places {
    /// Name and prefix.
    headers: Vec<(String, String)>,
    params: Vec<String>,
    cookies: Vec<String>,
}

/// Where a token was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place<'e> {
    /// In the header of this name.
    Header(&'e str),
    /// In the query parameter of this name.
    Param(&'e str),
    /// In a cookie.
    Cookie,
}

impl Places {
    /// Those that `rule` names; if none, `Authorization: Bearer …` and the query parameter `access_token`.
    pub(crate) fn new(rule: &JwtRule) -> Self {
        if rule.uses_default_places() {
            return Self {
                headers: vec![("authorization".to_owned(), "Bearer ".to_owned())],
                params: vec!["access_token".to_owned()],
                cookies: Vec::new(),
            };
        }
        let headers = rule.from_headers.iter();
        Self {
            headers: sorted(
                headers.map(|header| (header.name.to_ascii_lowercase(), header.prefix.clone())).collect(),
            ),
            params: ordered::distinct(rule.from_params.clone()),
            cookies: ordered::distinct(rule.from_cookies.clone()),
        }
    }

    /// Forgets headers that rules write: the client's are removed before anyone looks for tokens in them.
    pub(crate) fn forget_headers(&mut self, written: &[String]) {
        self.headers.retain(|(name, _)| !written.contains(name));
    }

    /// Every token in `request`, whatever it looks like: headers first, then parameters, then cookies.
    pub(crate) fn find<'e, 'r>(&'e self, request: &Request<'r>) -> Vec<(Place<'e>, Cow<'r, [u8]>)> {
        let mut tokens = Vec::new();
        for (name, prefix) in &self.headers {
            let found = in_header(request, name, prefix);
            tokens.extend(found.map(|token| (Place::Header(name), token.into())));
        }
        for name in &self.params {
            tokens.extend(in_param(request, name).map(|token| (Place::Param(name), token)));
        }
        for name in &self.cookies {
            tokens.extend(in_cookie(request, name).map(|token| (Place::Cookie, token.into())));
        }
        tokens
    }

    /// The same one place after the other, for people.
    pub(crate) fn looks(&self, request: &Request<'_>) -> Vec<Look> {
        let headers = self.headers.iter().map(|(name, prefix)| Look {
            place: match prefix.as_str() {
                "" => format!("header `{name}`"),
                prefix => format!("header `{name}` after `{prefix}`"),
            },
            tokens: in_header(request, name, prefix).map(<[u8]>::to_vec).collect(),
        });
        let params = self.params.iter().map(|name| Look {
            place: format!("parameter `{name}`"),
            tokens: in_param(request, name).map(Cow::into_owned).into_iter().collect(),
        });
        let cookies = self.cookies.iter().map(|name| Look {
            place: format!("cookie `{name}`"),
            tokens: in_cookie(request, name).map(<[u8]>::to_vec).into_iter().collect(),
        });
        headers.chain(params).chain(cookies).collect()
    }
}

/// A place that a rule looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Which, in words.
    pub place: String,
    /// What stands there.
    pub tokens: Vec<Vec<u8>>,
}

/// Where `rule` looks for tokens in `request`, and what it finds.
pub fn looks(rule: &JwtRule, request: &Request<'_>) -> Vec<Look> {
    Places::new(rule).looks(request)
}

fn in_header<'r>(request: &Request<'r>, name: &str, prefix: &str) -> impl Iterator<Item = &'r [u8]> {
    request.header_lines(name.as_bytes()).filter_map(|line| after_prefix(line, prefix.as_bytes()))
}

/// The first of this name counts.
fn in_param<'r>(request: &Request<'r>, name: &str) -> Option<Cow<'r, [u8]>> {
    let mut values = query_pairs(request.path_and_query()).map(split_pair);
    values.find(|(key, _)| *decoded(key) == *name.as_bytes()).map(|(_, value)| decoded(value))
}

/// Likewise.
fn in_cookie<'r>(request: &Request<'r>, name: &str) -> Option<&'r [u8]> {
    cookies(request).find(|(key, _)| *key == name.as_bytes()).map(|(_, value)| value)
}

impl Place<'_> {
    /// Takes the token out: the whole header; the parameter, every time it stands. Cookies stay. `path` is what
    /// earlier removals have left of `:path`.
    ///
    /// The rest of the query stays as the client wrote it. Envoy writes it anew, sorted by name and with its escapes
    /// decoded, by which `a=%26b` becomes two parameters.
    pub(crate) fn remove<'e>(
        self,
        ops: &mut Vec<HeaderOp<'e>>,
        path: &mut Option<Vec<u8>>,
        request: &Request<'_>,
    ) where
        Self: 'e,
    {
        match self {
            Place::Header(name) => ops.push(HeaderOp::Remove(name.to_owned().into())),
            Place::Param(name) => {
                let current = path.as_deref().unwrap_or(request.path_and_query());
                *path = Some(without_param(current, name.as_bytes()));
            }
            Place::Cookie => {}
        }
    }
}

/// Envoy keeps headers by name and prefix written together: by that they are sorted, and of those that are the same the
/// first counts.
fn sorted(mut headers: Vec<(String, String)>) -> Vec<(String, String)> {
    let together = |(name, prefix): &(String, String)| [name.as_str(), prefix].concat();
    ordered::sort_by(&mut headers, |one, other| together(one).cmp(&together(other)));
    headers.dedup_by(|later, first| together(later) == together(first));
    headers
}

/// What follows `prefix`, wherever that stands; Envoy then skips what can't begin a token.
fn after_prefix<'r>(value: &'r [u8], prefix: &[u8]) -> Option<&'r [u8]> {
    if prefix.is_empty() {
        return Some(value);
    }
    let at = value.windows(prefix.len()).position(|window| window == prefix)?;
    let rest = value.get(at.saturating_add(prefix.len())..).unwrap_or_default();
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let start = rest.iter().position(is_token);
    Some(start.and_then(|start| rest.get(start..)).unwrap_or(value))
}

fn query_pairs(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let query = path.iter().position(|byte| *byte == b'?').and_then(|at| path.get(at.saturating_add(1)..));
    query.unwrap_or_default().split(|byte| *byte == b'&').filter(|pair| !pair.is_empty())
}

/// Name and value; the value is empty without a `=`.
fn split_pair(pair: &[u8]) -> (&[u8], &[u8]) {
    let Some(equals) = pair.iter().position(|byte| *byte == b'=') else { return (pair, b"") };
    let (name, value) = pair.split_at(equals);
    (name, value.get(1..).unwrap_or_default())
}

/// Percent escapes only: a `+` stays one.
fn decoded(text: &[u8]) -> Cow<'_, [u8]> {
    percent_decode(text).into()
}

fn without_param(path: &[u8], name: &[u8]) -> Vec<u8> {
    let kept = query_pairs(path).filter(|pair| *decoded(split_pair(pair).0) != *name);
    let mut rest: Vec<u8> = path.iter().copied().take_while(|byte| *byte != b'?').collect();
    for (index, pair) in kept.enumerate() {
        rest.push(if index == 0 { b'?' } else { b'&' });
        rest.extend_from_slice(pair);
    }
    rest
}

/// Envoy trims names on the left only, and takes one pair of quotes off a value.
fn cookies<'r>(request: &Request<'r>) -> impl Iterator<Item = (&'r [u8], &'r [u8])> {
    let pairs = request.header_lines(b"cookie").flat_map(|line| line.split(|byte| *byte == b';'));
    pairs.filter(|pair| pair.contains(&b'=')).map(|pair| {
        let start = pair.iter().position(|byte| *byte != b' ').unwrap_or_default();
        let (name, value) = split_pair(pair.get(start..).unwrap_or_default());
        let bare = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
        (name, bare.unwrap_or(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Connection;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn places(headers: &[(&str, &str)], params: &[&str], cookies: &[&str]) -> Places {
        let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let headers = headers.iter().map(|(name, prefix)| ((*name).to_owned(), (*prefix).to_owned()));
        Places { headers: sorted(headers.collect()), params: own(params), cookies: own(cookies) }
    }

    fn found(places: &Places, lines: &[(&str, &str)]) -> Vec<String> {
        let lines: Vec<_> = lines.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        let request = Request::new(&lines, &Connection::UNKNOWN);
        let tokens = places.find(&request).into_iter();
        tokens.map(|(_, token)| String::from_utf8_lossy(&token).into_owned()).collect()
    }

    #[test]
    fn headers() {
        let bearer = places(&[("authorization", "Bearer ")], &[], &[]);
        for (value, tokens) in [
            ("Bearer t.o.k", &["t.o.k"][..]),
            ("xxBearer t", &["t"]),
            ("Bearer    t", &["t"]),
            ("Bearer t,x", &["t,x"]),
            ("Bearer =", &["Bearer ="]),
            ("bearer t", &[]),
            ("Bearer\tt", &[]),
            ("Bearer", &[]),
            ("t", &[]),
        ] {
            assert_eq!(found(&bearer, &[("authorization", value)]), tokens, "{value}");
        }
        let bare = places(&[("x-b", ""), ("x-a", "")], &[], &[]);
        assert_eq!(found(&bare, &[("x-b", "2"), ("x-a", "1"), ("x-b", "")]), ["1", "2", ""]);
    }

    #[test]
    fn each_place_tells_what_stands_there() {
        let places = places(&[("authorization", "Bearer "), ("x-token", "")], &["t"], &["c"]);
        let lines: [(&[u8], &[u8]); 3] =
            [(b":path", b"/?t=one"), (b"authorization", b"Basic x"), (b"x-token", b"two")];
        let looks = places.looks(&Request::new(&lines, &Connection::UNKNOWN));
        let told: Vec<_> = looks
            .iter()
            .map(|look| (look.place.as_str(), look.tokens.concat().escape_ascii().to_string()))
            .collect();
        let told: Vec<_> = told.iter().map(|(place, token)| (*place, token.as_str())).collect();
        let expected = [
            ("header `authorization` after `Bearer `", ""),
            ("header `x-token`", "two"),
            ("parameter `t`", "one"),
            ("cookie `c`", ""),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn headers_are_sorted_by_name_and_prefix_together() {
        let both = |headers| found(&places(headers, &[], &[]), &[("x-t", "ok1"), ("x-to", "2")]);
        assert_eq!(both(&[("x-t", "z"), ("x-to", "")]), ["2"]);
        assert_eq!(both(&[("x-to", ""), ("x-t", "ok")]), ["2", "1"]);
        assert_eq!(both(&[("x-t", "o"), ("x-to", "")]), ["k1"]);
        assert_eq!(both(&[("x-to", ""), ("x-t", "o")]), ["2"]);
    }

    #[test]
    fn params() {
        let param = places(&[], &["p"], &[]);
        for (path, tokens) in [
            ("/?p=t", &["t"][..]),
            ("/?q=1&p=t&p=u", &["t"]),
            ("/?%70=%74+", &["t+"]),
            ("/?p", &[""]),
            ("/?p=%zz", &["%zz"]),
            ("/?P=t", &[]),
            ("/p=t", &[]),
            ("/", &[]),
        ] {
            assert_eq!(found(&param, &[(":path", path)]), tokens, "{path}");
        }
    }

    #[test]
    fn cookie_values() {
        let cookie = places(&[], &[], &["c"]);
        for (value, tokens) in [
            ("c=t", &["t"][..]),
            ("a=b; c=\"t\"; c=u", &["t"]),
            ("c= t ", &[" t "]),
            ("c=\"", &["\""]),
            ("c=", &[""]),
            ("c = t", &[]),
            ("c", &[]),
            (";;=", &[]),
        ] {
            assert_eq!(found(&cookie, &[("cookie", value)]), tokens, "{value}");
        }
        assert_eq!(found(&cookie, &[("cookie", "a=b"), ("cookie", "c=t")]), ["t"]);
    }

    #[test]
    fn the_rest_of_the_query_stays_as_it_is() {
        for (path, rest) in [
            ("/a?p=t", "/a"),
            ("/a?z=%26&p=t&b=%20&b=1", "/a?z=%26&b=%20&b=1"),
            ("/a?%70=1&p&p=2&x", "/a?x"),
            ("/a", "/a"),
        ] {
            assert_eq!(without_param(path.as_bytes(), b"p"), rest.as_bytes(), "{path}");
        }
    }
}
