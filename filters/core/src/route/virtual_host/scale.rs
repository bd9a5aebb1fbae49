//! How many entries are checked is what a request costs: ten thousand rules must not cost more than ten, whatever
//! they have in common and by what they differ.

use std::cell::Cell;
use std::sync::Arc;

use outrigger_api::types::common::StringMatch;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::super::condition::Condition;
use super::*;
use crate::Connection;

const COUNT: usize = 10_000;
/// The most entries that may be checked for one request.
const MOST: usize = 10;

fn exact(text: String) -> StringMatch {
    StringMatch::Exact(text)
}

fn prefix(text: String) -> StringMatch {
    StringMatch::Prefix(text)
}

fn slash() -> PathMatch {
    PathMatch::prefix(b"/", false)
}

fn header(name: &str, spec: &StringMatch) -> Condition {
    Condition::header(name, spec).unwrap()
}

/// Checks that a request for each of some rules finds it, and that a request for none finds none, with few checks.
fn costs_few_checks(
    shape: &str,
    rule: impl Fn(usize) -> (PathMatch, Vec<Condition>),
    request: impl Fn(usize) -> (String, Vec<(&'static str, String)>),
) {
    let entries: Vec<_> = (0..COUNT)
        .map(|number| {
            let (path, conditions) = rule(number);
            Arc::new(Entry { rule: number, match_index: None, path, conditions })
        })
        .collect();
    let host = VirtualHost::new(entries).unwrap();
    for number in [0, 1, 17, COUNT / 2, COUNT - 1, COUNT] {
        let (path, lines) = request(number);
        let mut headers = vec![(&b":path"[..], path.as_bytes())];
        headers.extend(lines.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())));
        let request = Request::new(&headers, &Connection::UNKNOWN);
        let checks = Cell::new(0);
        let holds = |entry: u32, unchecked| {
            checks.set(checks.get() + 1);
            host.entries[usize::try_from(entry).unwrap()].holds(unchecked, &request, Some(80))
        };
        let found = host.index.first(&request, Some(80), holds).map(|entry| usize::try_from(entry).unwrap());
        assert_eq!(found, (number < COUNT).then_some(number), "{shape}");
        assert!(checks.get() <= MOST, "{shape}: {} checks for rule {number}", checks.get());
    }
}

#[test]
fn paths() {
    let path = |n: usize| (format!("/shop/{n}/item?q"), Vec::new());
    costs_few_checks(
        "exact",
        |n| (PathMatch::exact(format!("/shop/{n}/item").as_bytes(), n % 2 == 0), vec![]),
        path,
    );
    costs_few_checks(
        "prefix",
        |n| (PathMatch::prefix(format!("/shop/{n}/").as_bytes(), n % 2 == 0), vec![]),
        path,
    );
    costs_few_checks("regex", |n| (PathMatch::regex(&format!("/shop/{n}/[a-z]+")).unwrap(), vec![]), path);
    costs_few_checks(
        "regexes that differ late",
        |n| (PathMatch::regex(&format!("/[a-z]+/{n}/.*")).unwrap(), vec![]),
        path,
    );
    costs_few_checks(
        "regexes that differ at the end",
        |n| (PathMatch::regex(&format!(".*/[a-z]+-{n}")).unwrap(), vec![]),
        |n| (format!("/a/b/item-{n}"), Vec::new()),
    );
}

#[test]
fn one_prefix_and_one_header() {
    let user = |n: usize| ("/".to_owned(), vec![("user", format!("u{n}!"))]);
    costs_few_checks("header", |n| (slash(), vec![header("user", &exact(format!("u{n}!")))]), user);
    costs_few_checks("header prefix", |n| (slash(), vec![header("user", &prefix(format!("u{n}!")))]), user);
    let authority = |n: usize| ("/".to_owned(), vec![(":authority", format!("h{n}"))]);
    costs_few_checks(
        "authority",
        |n| (slash(), vec![header(":authority", &exact(format!("h{n}")))]),
        authority,
    );
    let method = |n: usize| ("/".to_owned(), vec![(":method", format!("M{n}"))]);
    costs_few_checks("method", |n| (slash(), vec![header(":method", &exact(format!("M{n}")))]), method);
    costs_few_checks(
        "two headers, of which one is the same",
        |n| {
            let user = header("user", &exact(format!("u{n}!")));
            (slash(), vec![header("stage", &exact("prod".to_owned())), user])
        },
        |n| ("/".to_owned(), vec![("user", format!("u{n}!")), ("stage", "prod".to_owned())]),
    );
}

/// 100 x 100 combinations.
#[test]
fn two_headers_that_only_together_tell() {
    costs_few_checks(
        "two headers",
        |n| {
            let (one, other) = (exact(format!("a{}", n / 100)), exact(format!("b{}", n % 100)));
            (slash(), vec![header("one", &one), header("other", &other)])
        },
        |n| ("/".to_owned(), vec![("one", format!("a{}", n / 100)), ("other", format!("b{}", n % 100))]),
    );
}

#[test]
fn names() {
    const NAMES: [&str; 4] = ["x-0", "x-1", "x-17", "x-5000"];
    let name = |n: usize| match n {
        9_999 => "x-9999",
        10_000 => "x-10000",
        5_000 => NAMES[3],
        17 => NAMES[2],
        n => NAMES[n],
    };
    costs_few_checks(
        "names of headers",
        |n| (slash(), vec![header(&format!("x-{n}"), &StringMatch::Present)]),
        |n| ("/".to_owned(), vec![(name(n), "1".to_owned()), ("x-other", String::new())]),
    );
    costs_few_checks(
        "names of headers with values",
        |n| (slash(), vec![header(&format!("x-{n}"), &prefix("1".to_owned()))]),
        |n| ("/".to_owned(), vec![(name(n), "1".to_owned()), ("x-other", String::new())]),
    );
    costs_few_checks(
        "names of parameters",
        |n| (slash(), vec![Condition::query(&format!("p{n}"), &StringMatch::Present).unwrap()]),
        |n| (format!("/?a&p{n}&b"), Vec::new()),
    );
}

#[test]
fn parameters_ports_and_what_must_not_be() {
    let query = |n: usize| (format!("/?q={n}"), Vec::new());
    costs_few_checks(
        "parameter",
        |n| (slash(), vec![Condition::query("q", &exact(n.to_string())).unwrap()]),
        query,
    );
    costs_few_checks(
        "port and parameter",
        |n| (slash(), vec![Condition::port(80), Condition::query("q", &exact(n.to_string())).unwrap()]),
        query,
    );
    let claims =
        |n: usize| serde_json::json!({"roles": ["all", format!("r{n}")]}).as_object().cloned().unwrap();
    let rule =
        |n: usize| vec![Condition::claim(&["roles".to_owned()], &exact(format!("r{n}")), false).unwrap()];
    let host = VirtualHost::new(
        (0..COUNT)
            .map(|n| Entry { rule: n, match_index: None, path: slash(), conditions: rule(n) })
            .map(Arc::new)
            .collect(),
    )
    .unwrap();
    for (n, found) in [(9_999, Some(9_999)), (COUNT, None)] {
        let identity = crate::jwt::Identity::from(claims(n));
        let headers = [(&b":path"[..], &b"/"[..])];
        let request = Request::new(&headers, &Connection::UNKNOWN).with_identity(Some(&identity));
        let checks = Cell::new(0);
        let holds = |entry: u32, unchecked| {
            checks.set(checks.get() + 1);
            host.entries[usize::try_from(entry).unwrap()].holds(unchecked, &request, None)
        };
        assert_eq!(host.index.first(&request, None, holds), found);
        assert!(checks.get() <= MOST);
    }
    // A header can't have ten thousand values at once, so one of the first rules holds.
    let without = |n: usize| Condition::without_header("user", &exact(format!("u{n}"))).unwrap();
    let host = VirtualHost::new(
        (0..COUNT)
            .map(|rule| Entry { rule, match_index: None, path: slash(), conditions: vec![without(rule)] })
            .map(Arc::new)
            .collect(),
    )
    .unwrap();
    let headers = [(&b":path"[..], &b"/"[..]), (b"user", b"u0"), (b"user", b"u1")];
    let request = Request::new(&headers, &Connection::UNKNOWN);
    assert_eq!(host.first(&request, None).map(|entry| entry.rule), Some(2));
}

#[test]
fn regexes_of_a_header() {
    let rule = |n: usize| {
        let regex = super::super::testing::regex(&format!("(a|b)-{n}[.]*x"));
        (slash(), vec![header("user", &regex)])
    };
    costs_few_checks("header regex", rule, |n| ("/".to_owned(), vec![("user", format!("b-{n}..x"))]));
}
