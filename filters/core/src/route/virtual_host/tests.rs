//! The index against a scan in order.

use std::sync::Arc;

use outrigger_api::types::common::StringMatch;
use proptest::prelude::*;

use super::super::condition::Condition;
use super::super::testing;
use super::*;
use crate::Connection;

#[derive(Debug, Clone)]
enum Path {
    Any,
    Exact(String, bool),
    Prefix(String, bool),
    Regex(String),
}

#[derive(Debug, Clone)]
enum Demand {
    Header(&'static str, Value),
    WithoutHeader(&'static str, Value),
    Query(&'static str, Value),
    Port(u16),
}

#[derive(Debug, Clone)]
enum Value {
    Exact(String),
    Prefix(String),
    Regex(&'static str),
    Present,
}

/// An entry to compile.
type Drawn = (Path, Vec<Demand>);

type Lines = Vec<(&'static str, Vec<u8>)>;

/// Few letters, so that things meet.
fn path() -> impl Strategy<Value = String> {
    "(/[abB]{0,2}){1,3}"
}

fn path_match() -> impl Strategy<Value = Path> {
    prop_oneof![
        Just(Path::Any),
        (path(), any::<bool>()).prop_map(|(path, fold)| Path::Exact(path, fold)),
        (prop_oneof![Just(String::new()), path()], any::<bool>())
            .prop_map(|(path, fold)| Path::Prefix(path, fold)),
        prop_oneof![Just("/a.*"), Just(".*"), Just("/[ab]+"), Just("/(a|b)/.*")]
            .prop_map(|regex| Path::Regex(regex.to_owned())),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => "[xy]{0,2}".prop_map(Value::Exact),
        2 => "[xy]{1,2}".prop_map(Value::Prefix),
        1 => prop::sample::select(vec!["x.*", "[xy]", "y+|x", ".*y", "(?s).*"]).prop_map(Value::Regex),
        1 => Just(Value::Present),
    ]
}

fn demand() -> impl Strategy<Value = Demand> {
    let header =
        prop::sample::select(vec!["h1", "h2", "h3", "h4", "h5", "h6", "h7", "h8", ":method", ":authority"]);
    prop_oneof![
        6 => (header.clone(), value()).prop_map(|(name, value)| Demand::Header(name, value)),
        1 => (header, value()).prop_map(|(name, value)| Demand::WithoutHeader(name, value)),
        2 => (prop_oneof![Just("q"), Just("r")], value()).prop_map(|(name, value)| Demand::Query(name, value)),
        1 => prop_oneof![Just(80), Just(81)].prop_map(Demand::Port),
    ]
}

fn entries() -> impl Strategy<Value = Vec<Drawn>> {
    // Many of few kinds, so that the tree gets deep; or few of many kinds.
    let entry = || (path_match(), prop::collection::vec(demand(), 0..4));
    let any = prop::collection::vec(entry(), 0..40);
    let alike = (prop::collection::vec(entry(), 1..8), prop::collection::vec((0..8_usize, demand()), 0..100));
    let alike = alike.prop_map(|(kinds, more): (Vec<Drawn>, Vec<(usize, Demand)>)| {
        let own = |(kind, demand): (usize, Demand)| {
            let (path, mut demands) = kinds[kind % kinds.len()].clone();
            demands.push(demand);
            (path, demands)
        };
        more.into_iter().map(own).collect::<Vec<_>>()
    });
    prop_oneof![any, alike]
}

fn request() -> impl Strategy<Value = (String, Lines)> {
    let query = prop_oneof![Just(""), Just("?q=x"), Just("?r=&q=xy"), Just("?q")];
    let value = prop::sample::select(vec![&b"x"[..], b"y", b"xy", b"", b"\xff"]);
    let name = prop::sample::select(vec!["h1", "h2", "h3", "h5", ":authority"]);
    let lines = prop::collection::vec((name, value.prop_map(<[u8]>::to_vec)), 0..4);
    ((path(), query).prop_map(|(path, query)| path + query), lines)
}

fn compiled(entries: &[(Path, Vec<Demand>)]) -> Vec<Arc<Entry>> {
    let spec = |value: &Value| match value {
        Value::Exact(text) => StringMatch::Exact(text.clone()),
        Value::Prefix(text) => StringMatch::Prefix(text.clone()),
        Value::Regex(source) => testing::regex(source),
        Value::Present => StringMatch::Present,
    };
    let condition = |demand: &Demand| match demand {
        Demand::Header(name, value) => Condition::header(name, &spec(value)).unwrap(),
        Demand::WithoutHeader(name, value) => Condition::without_header(name, &spec(value)).unwrap(),
        Demand::Query(name, value) => Condition::query(name, &spec(value)).unwrap(),
        Demand::Port(port) => Condition::port(*port),
    };
    let path = |path: &Path| match path {
        Path::Any => PathMatch::new(None, false).unwrap(),
        Path::Exact(path, fold) => PathMatch::exact(path.as_bytes(), *fold),
        Path::Prefix(path, fold) => PathMatch::prefix(path.as_bytes(), *fold),
        Path::Regex(regex) => PathMatch::regex(regex).unwrap(),
    };
    let entry = |(rule, (matched, demands)): (usize, &(Path, Vec<Demand>))| Entry {
        rule,
        match_index: None,
        path: path(matched),
        conditions: demands.iter().map(condition).collect(),
    };
    entries.iter().enumerate().map(entry).map(Arc::new).collect()
}

proptest! {
    #[test]
    fn the_index_finds_what_a_scan_finds(entries in entries(), (path, lines) in request(), port in 80u16..82) {
        let virtual_host = VirtualHost::new(compiled(&entries)).unwrap();
        let mut headers = vec![(&b":path"[..], path.as_bytes()), (b":method", b"x")];
        headers.extend(lines.iter().map(|(name, value)| (name.as_bytes(), value.as_slice())));
        let request = Request::new(&headers, &Connection::UNKNOWN);
        let scanned = virtual_host.entries().find(|entry| entry.failure(&request, Some(port)).is_none());
        let found = virtual_host.first(&request, Some(port));
        prop_assert_eq!(found.map(|entry| entry.rule), scanned.map(|entry| entry.rule));
    }

    #[test]
    fn no_request_makes_it_panic(
        path in prop::collection::vec(any::<u8>(), 0..200),
        line in prop::collection::vec(any::<u8>(), 0..200),
        entries in entries(),
    ) {
        let virtual_host = VirtualHost::new(compiled(&entries)).unwrap();
        let headers = [(&b":path"[..], path.as_slice()), (b"h1", &line), (b":method", &line)];
        let request = Request::new(&headers, &Connection::UNKNOWN);
        let scanned = virtual_host.entries().find(|entry| entry.failure(&request, None).is_none());
        prop_assert_eq!(virtual_host.first(&request, None).map(|e| e.rule), scanned.map(|e| e.rule));
    }
}
