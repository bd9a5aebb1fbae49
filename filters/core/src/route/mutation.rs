//! Header changes of a rule and its destinations, in the order in which Envoy applies them.

use std::borrow::Cow;

use outrigger_api::types::common::{HeaderOperations, HeaderValue};

use crate::verdict::HeaderOp;

/// Header changes, compiled.
pub(super) type HeaderOps = Vec<HeaderOp<'static>>;

/// Changes that Envoy makes as one list: every removal, then every `set`, then every `add`, each in the order of
/// `lists` (Istio appends the only destination's list to the rule's; several destinations have lists of their own).
/// An empty value changes nothing. `:authority` and `host` are no header changes but a host rewrite: see
/// [`authority`].
pub(super) fn compile(lists: &[&HeaderOperations]) -> HeaderOps {
    let removed = lists.iter().flat_map(|list| &list.remove).filter(|name| !name.starts_with(':'));
    let set = lists.iter().flat_map(|list| &list.set).filter(is_header);
    let added = lists.iter().flat_map(|list| &list.add).filter(is_header);
    removed
        .filter(|name| !is_authority(name))
        .map(|name| HeaderOp::Remove(Cow::Owned(name.clone())))
        .chain(set.map(|(name, value)| HeaderOp::Set(Cow::Owned(name.clone()), bytes(value))))
        .chain(added.map(|(name, value)| HeaderOp::Add(Cow::Owned(name.clone()), bytes(value))))
        .collect()
}

/// The new `:authority` that a list asks for. Envoy takes it literally: no format operators.
pub(super) fn authority(list: &HeaderOperations) -> Option<&str> {
    let named = list.set.iter().chain(&list.add).filter(|(name, _)| is_authority(name));
    named.map(|(_, value)| value.as_str()).rfind(|value| !value.is_empty())
}

/// The first format operator (such as `%DOWNSTREAM_REMOTE_ADDRESS%`) in a header value: everything between two
/// single percent signs. `%%` is a literal percent sign.
pub(super) fn format_operator(value: &str) -> Option<&str> {
    let mut rest = value;
    while let Some((_, after)) = rest.split_once('%') {
        match after.strip_prefix('%') {
            Some(literal) => rest = literal,
            None => return Some(after.split_once('%').map_or(after, |(operator, _)| operator)),
        }
    }
    None
}

/// Applies `ops` to the headers of an answer.
pub(super) fn apply<'e>(ops: &[HeaderOp<'e>], headers: &mut Vec<(Cow<'e, str>, Cow<'e, [u8]>)>) {
    for op in ops {
        match op {
            HeaderOp::Set(name, value) => {
                headers.retain(|(existing, _)| existing != name);
                headers.push((name.clone(), value.clone()));
            }
            HeaderOp::Add(name, value) => headers.push((name.clone(), value.clone())),
            HeaderOp::Remove(name) => headers.retain(|(existing, _)| existing != name),
        }
    }
}

fn is_header((name, value): &&HeaderValue) -> bool {
    !is_authority(name) && !value.is_empty()
}

fn is_authority(name: &str) -> bool {
    name == ":authority" || name == "host"
}

fn bytes(value: &str) -> Cow<'static, [u8]> {
    Cow::Owned(value.replace("%%", "%").into_bytes())
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

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

    #[test]
    fn one_list_removes_then_sets_then_adds() {
        let rule = list(&[("a", "1")], &[("b", "2")], &["c"]);
        let destination = list(&[("a", "3")], &[], &["d"]);
        assert_eq!(
            compile(&[&rule, &destination]),
            [
                HeaderOp::Remove("c".into()),
                HeaderOp::Remove("d".into()),
                set("a", "1"),
                set("a", "3"),
                add("b", "2")
            ]
        );
    }

    #[test]
    fn empty_values_change_nothing_and_double_percents_are_one() {
        assert_eq!(compile(&[&list(&[("a", ""), ("b", "100%%")], &[("c", "")], &[])]), [set("b", "100%")]);
    }

    #[test]
    fn the_authority_is_no_header() {
        let changed = list(&[(":authority", "a.example")], &[("host", "b.example")], &["host", ":path"]);
        assert!(compile(&[&changed]).is_empty());
        assert_eq!(authority(&changed), Some("b.example"));
        assert_eq!(authority(&list(&[("host", "")], &[], &[])), None);
    }

    #[test]
    fn format_operators_are_found() {
        for (value, operator) in [
            ("plain", None),
            ("100%%", None),
            ("%%REQ(a)%%", None),
            ("%%%REQ(a)%", Some("REQ(a)")),
            ("a %DOWNSTREAM_REMOTE_ADDRESS% b", Some("DOWNSTREAM_REMOTE_ADDRESS")),
            ("%", Some("")),
        ] {
            assert_eq!(format_operator(value), operator, "{value}");
        }
    }

    #[test]
    fn answers_are_changed_in_order() {
        let mut headers = vec![("a".into(), b"0"[..].into()), ("a".into(), b"1"[..].into())];
        let ops = [HeaderOp::Remove("b".into()), set("a", "2"), add("a", "3")];
        apply(&ops, &mut headers);
        assert_eq!(headers, [("a".into(), b"2"[..].into()), ("a".into(), Cow::from(&b"3"[..]))]);
    }
}
