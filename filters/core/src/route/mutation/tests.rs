#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::request::HeaderLine;
use crate::telemetry::ResponseFlags;
use crate::{Connection, Request};

fn list(set: &[(&str, &str)], add: &[(&str, &str)], remove: &[&str]) -> HeaderOperations {
    let pairs = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    HeaderOperations {
        set: pairs(set),
        add: pairs(add),
        remove: remove.iter().map(|name| (*name).to_owned()).collect(),
    }
}

fn set(name: &'static str, value: &'static str) -> HeaderOp<'static> {
    HeaderOp::Set(name.into(), value.as_bytes().into())
}

fn add(name: &'static str, value: &'static str) -> HeaderOp<'static> {
    HeaderOp::Add(name.into(), value.as_bytes().into())
}

fn remove(name: &'static str) -> HeaderOp<'static> {
    HeaderOp::Remove(name.into())
}

/// What `lists` change in a request with the headers `sent`.
fn changed(lists: &[&[&HeaderOperations]], sent: &[(&str, &str)]) -> Vec<HeaderOp<'static>> {
    let changes = Changes::new(lists);
    let lines: Vec<HeaderLine<'_>> =
        sent.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
    let request = Request::new(&lines, &Connection::UNKNOWN);
    let scene = Scene {
        request: &request,
        ops: &[],
        cluster: Some("outbound|80||a"),
        injected: ResponseFlags::default(),
    };
    let mut ops = Vec::new();
    changes.to_request(&scene, &mut ops);
    let owned = |op: &HeaderOp<'_>| match op {
        HeaderOp::Set(name, value) => HeaderOp::Set(name.to_string().into(), value.to_vec().into()),
        HeaderOp::Add(name, value) => HeaderOp::Add(name.to_string().into(), value.to_vec().into()),
        HeaderOp::Remove(name) => HeaderOp::Remove(name.to_string().into()),
    };
    ops.iter().map(owned).collect()
}

#[test]
fn one_list_removes_then_sets_then_adds() {
    let rule = list(&[("a", "1")], &[("b", "2")], &["c"]);
    let destination = list(&[("a", "3")], &[], &["d"]);
    assert_eq!(
        changed(&[&[&rule, &destination]], &[]),
        [remove("c"), remove("d"), set("a", "1"), set("a", "3"), add("b", "2")]
    );
    assert_eq!(
        changed(&[&[&destination], &[&rule]], &[]),
        [remove("d"), set("a", "3"), remove("c"), set("a", "1"), add("b", "2")]
    );
}

#[test]
fn empty_values_change_nothing_and_double_percents_are_one() {
    assert_eq!(
        changed(&[&[&list(&[("a", ""), ("b", "100%%")], &[("c", "")], &[])]], &[]),
        [set("b", "100%")]
    );
}

#[test]
fn the_authority_is_no_header() {
    let changed_list = list(&[(":authority", "a.example")], &[("host", "b.example")], &["host", ":path"]);
    assert!(Changes::new(&[&[&changed_list]]).is_empty());
    assert_eq!(authority(&changed_list), Some("b.example"));
    assert_eq!(authority(&list(&[("host", "")], &[], &[])), None);
}

/// As Envoy does it: every value of a list is worked out after its removals and before anything is written.
#[test]
fn values_see_what_a_list_removes_but_not_what_it_writes() {
    let one = list(
        &[("x-a", "new"), ("x-b", "[%REQ(x-a)%]"), ("x-c", "[%REQ(x-gone)%]")],
        &[("x-d", "%UPSTREAM_CLUSTER%")],
        &["x-gone"],
    );
    let sent = [("x-a", "old"), ("x-gone", "1")];
    let written = [
        remove("x-gone"),
        set("x-a", "new"),
        set("x-b", "[old]"),
        set("x-c", "[]"),
        add("x-d", "outbound|80||a"),
    ];
    assert_eq!(changed(&[&[&one]], &sent), written);
    let two = list(&[("x-e", "%REQ(x-a)%")], &[], &[]);
    let ops = changed(&[&[&one], &[&two]], &sent);
    assert_eq!(ops.last(), Some(&set("x-e", "new")));
}

#[test]
fn what_comes_out_empty_or_impossible_is_not_written() {
    let one = list(
        &[
            ("a", "%REQ(none)%"),
            ("b", "-%REQ(none)%"),
            ("c", "%QUERY_PARAM(evil)%"),
            ("d", "%RESPONSE_CODE%"),
            ("e", "100%%"),
        ],
        &[],
        &[],
    );
    assert_eq!(
        changed(&[&[&one]], &[(":path", "/?evil=a%0d%0ax-admin:%20yes")]),
        [set("b", "-"), set("d", "0"), set("e", "100%")]
    );
}

#[test]
fn answers_are_changed_in_order() {
    let mut headers = vec![("a".into(), b"0"[..].into()), ("a".into(), b"1"[..].into())];
    let ops = [remove("b"), set("a", "2"), add("a", "3")];
    apply(&ops, &mut headers);
    assert_eq!(headers, [("a".into(), b"2"[..].into()), ("a".into(), Cow::from(&b"3"[..]))]);
}
