//! Puts tokens where rules look for them, as clients write them and as they should not.

use serde_json::Value;

use super::random::Random;
use super::{fields, words};

/// What a request is made of.
#[derive(Debug)]
pub(super) struct Lines {
    path: String,
    /// `name=value`, as sent.
    query: Vec<Vec<u8>>,
    /// Likewise, each `Cookie` header with its own.
    cookies: Vec<Vec<u8>>,
    /// The other headers.
    pub(super) headers: Vec<(String, Vec<u8>)>,
}

/// Where a rule looks.
enum Place<'r> {
    Header(&'r str, &'r str),
    Param(&'r str),
    Cookie(&'r str),
}

impl Lines {
    /// A path, and at times parameters and cookies that are nobody's token.
    pub(super) fn new(random: &mut Random) -> Self {
        let mut path = random.pick(words::PATHS).to_owned();
        if random.chance(2) {
            path += &"/long".repeat(60);
        }
        let mut lines = Self { path, query: Vec::new(), cookies: Vec::new(), headers: Vec::new() };
        for _ in 0..*random.one(&[0, 0, 1, 2, 3]) {
            lines.query.push(random.pick(words::BESIDE).into());
        }
        if random.chance(15) {
            lines.cookies.push(random.pick(&["a=b", "a=b; c=\"d\"", "token", ";;", "=", "t =x"]).into());
        }
        lines
    }

    /// Adds `token` at a place of `rule`, or of another one.
    pub(super) fn put(&mut self, random: &mut Random, rules: &[&Value], rule: &Value, token: &[u8]) {
        let rule = if random.chance(90) { rule } else { rules[random.below(rules.len())] };
        let places = places(rule);
        match places.get(random.below(places.len())) {
            Some(Place::Header(name, prefix)) => self.header(random, name, prefix, token),
            Some(Place::Param(name)) => self.param(random, name, token),
            Some(Place::Cookie(name)) => self.cookie(random, name, token),
            None => {}
        }
    }

    fn header(&mut self, random: &mut Random, name: &str, prefix: &str, token: &[u8]) {
        let prefix = prefix.as_bytes();
        let value = match random.below(40) {
            0 => token.to_vec(),
            1 => [b"xx", prefix, token].concat(),
            2 => [prefix, b"  ", token].concat(),
            3 => [prefix, b"\t", token].concat(),
            4 => [&prefix.to_ascii_uppercase(), token].concat(),
            5 => [&prefix.to_ascii_lowercase(), token].concat(),
            6 => [prefix.trim_ascii(), token].concat(),
            7 => [prefix, token, b","].concat(),
            8 => [prefix, token, b", ", prefix, token].concat(),
            9 => [prefix, b"=,;\xff", token].concat(),
            10 => prefix.to_vec(),
            11 => [prefix, b"=&%"].concat(),
            12 => [b"Bearer ", token].concat(),
            13 => [b"\"", prefix, token, b"\""].concat(),
            14 => [prefix, prefix, token].concat(),
            15 => [b" ", prefix, token, b" "].concat(),
            16 => Vec::new(),
            _ => [prefix, token].concat(),
        };
        let name = if random.chance(10) { name.to_ascii_uppercase() } else { name.to_owned() };
        if random.chance(4) {
            self.headers.push((name.clone(), value.clone()));
        }
        self.headers.push((name, value));
    }

    fn param(&mut self, random: &mut Random, name: &str, token: &[u8]) {
        let name =
            if random.chance(10) { escaped(name.as_bytes(), |_| true) } else { plain(name.as_bytes()) };
        let value = match random.below(16) {
            0 => escaped(token, |_| true),
            1 => escaped(token, |byte| byte == b'.'),
            2 => [&plain(token)[..], b"%"].concat(),
            3 => [&plain(token)[..], b"%20"].concat(),
            4 => [b"+", &plain(token)[..]].concat(),
            5 => [b"%22", &plain(token)[..], b"%22"].concat(),
            6 => Vec::new(),
            _ => plain(token),
        };
        let pair = if random.chance(3) { name.clone() } else { [&name, &b"="[..], &value].concat() };
        let at = random.below(self.query.len() + 1);
        if random.chance(8) {
            self.query.insert(at, [&name, &b"=other"[..]].concat());
        }
        self.query.insert(at, pair);
    }

    fn cookie(&mut self, random: &mut Random, name: &str, token: &[u8]) {
        // What ends a cookie can't be part of one.
        let token: Vec<u8> = token.iter().copied().filter(|byte| *byte != b';').collect();
        let (name, token) = (name.as_bytes(), token.as_slice());
        let pair = match random.below(18) {
            0 => [name, b"=\"", token, b"\""].concat(),
            1 => [name, b"=\"", token].concat(),
            2 => [name, b" = ", token].concat(),
            3 => [name, b"= ", token, b" "].concat(),
            4 => [b" ", name, b"=", token].concat(),
            5 => [name, b"=", token, b"; ", name, b"=other"].concat(),
            6 => [name, b"=other; ", name, b"=", token].concat(),
            7 => [b"a=b;", name, b"=", token, b";"].concat(),
            8 => [b"a=b ;\t", name, b"=", token].concat(),
            9 => [name, b"="].concat(),
            10 => name.to_vec(),
            11 => [name, b"=\"\"", token, b"\"\""].concat(),
            _ => [name, b"=", token].concat(),
        };
        match self.cookies.last_mut() {
            Some(last) if random.chance(50) => *last = [last.as_slice(), b"; ", &pair].concat(),
            _ => self.cookies.push(pair),
        }
    }

    /// Path and query.
    pub(super) fn target(&self) -> Vec<u8> {
        let mut target = self.path.clone().into_bytes();
        for (index, pair) in self.query.iter().enumerate() {
            target.push(if index == 0 { b'?' } else { b'&' });
            target.extend_from_slice(pair);
        }
        target
    }

    /// All headers.
    pub(super) fn into_headers(self) -> Vec<(String, Vec<u8>)> {
        let cookies = self.cookies.into_iter().map(|value| ("cookie".to_owned(), value));
        self.headers.into_iter().chain(cookies).collect()
    }
}

/// The places of `rule`, or those that count if it names none.
fn places(rule: &Value) -> Vec<Place<'_>> {
    let texts = |field| fields::items(rule, field).iter().filter_map(Value::as_str);
    let headers = fields::items(rule, "fromHeaders").iter();
    let mut places: Vec<_> = headers
        .map(|header| Place::Header(fields::text(header, "name"), fields::text(header, "prefix")))
        .collect();
    places.extend(texts("fromParams").map(Place::Param));
    places.extend(texts("fromCookies").map(Place::Cookie));
    if places.is_empty() {
        places = vec![Place::Header("Authorization", "Bearer "), Place::Param("access_token")];
    }
    places
}

/// With escapes for what can't stand in a query.
fn plain(text: &[u8]) -> Vec<u8> {
    escaped(text, |byte| !byte.is_ascii_graphic() || b"&=#%+".contains(&byte))
}

fn escaped(text: &[u8], which: impl Fn(u8) -> bool) -> Vec<u8> {
    let escape = |byte: &u8| if which(*byte) { format!("%{byte:02x}").into_bytes() } else { vec![*byte] };
    text.iter().flat_map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes() {
        assert_eq!(plain(b"a.b c=\xff"), b"a.b%20c%3d%ff");
        assert_eq!(escaped(b"a.", |_| true), b"%61%2e");
    }
}
