//! A mapping whose fields are known: reading it field by field tells which ones it may have.

use std::cell::RefCell;

use super::{cursor::Cursor, suggest};
use crate::{
    node::{Key, Node, Value},
    ordered,
    problem::{Severity, code},
};

/// A mapping being decoded by [`Cursor::object`].
#[derive(Debug)]
pub(crate) struct Object<'a> {
    /// The mapping itself.
    pub(crate) cursor: &'a Cursor<'a>,
    /// The fields which were asked for, and so exist.
    known: RefCell<Vec<&'static str>>,
}

impl<'a> Cursor<'a> {
    /// Reads a mapping. Fields which `read` does not ask for are reported as unknown.
    pub(crate) fn object<T>(&self, read: impl FnOnce(&Object<'_>) -> Option<T>) -> Option<T> {
        self.object_like("", read)
    }

    /// The same, with an example for those who write a single value.
    pub(crate) fn object_like<T>(
        &self,
        example: &str,
        read: impl FnOnce(&Object<'_>) -> Option<T>,
    ) -> Option<T> {
        let object = self.open(example);
        let object = object.as_ref()?;
        let value = read(object);
        object.report_unknown();
        value
    }

    #[inline(never)]
    fn open(&self, example: &str) -> Option<Object<'_>> {
        if !matches!(self.node.value, Value::Mapping(_)) {
            let single = matches!(self.node.value, Value::String(_) | Value::Number(_));
            let hint = (single && !example.is_empty()).then(|| format!("write it like `{example}`"));
            self.tell_wrong_kind("a mapping", hint);
            return None;
        }
        Some(Object { cursor: self, known: RefCell::default() })
    }
}

impl<'a> Object<'a> {
    // Decoders call these hundreds of times: what does not depend on the type decoded is kept out of line.
    #[inline(never)]
    fn entry(&self, name: &'static str) -> Option<(&'a Key, &'a Node)> {
        self.skip(name);
        let Value::Mapping(entries) = &self.cursor.node.value else {
            return None;
        };
        entries.iter().find(|(key, _)| is_name(&key.name, name)).map(|(key, node)| (key, node))
    }

    /// The value of a field, unless it is left out or `null`.
    #[inline(never)]
    fn child(&self, name: &'static str) -> Option<Cursor<'_>> {
        let (key, node) = self.entry(name).filter(|(_, node)| !node.is_null())?;
        Some(self.cursor.field(name, key.position, node))
    }

    /// A field, unless it is left out or `null`.
    pub(crate) fn get<T>(
        &self,
        name: &'static str,
        decode: impl FnOnce(&Cursor<'_>) -> Option<T>,
    ) -> Option<T> {
        // By reference: the cursor stays where it is.
        decode(self.child(name).as_ref()?)
    }

    /// A field that must be there.
    pub(crate) fn required<T>(
        &self,
        name: &'static str,
        decode: impl FnOnce(&Cursor<'_>) -> Option<T>,
    ) -> Option<T> {
        decode(self.must_have(name).as_ref()?)
    }

    /// A list, empty if left out.
    pub(crate) fn list<T>(&self, name: &'static str, decode: impl Fn(&Cursor<'_>) -> Option<T>) -> Vec<T> {
        self.get(name, |cursor| Some(cursor.list(decode))).unwrap_or_default()
    }

    /// A field with fields of its own; one left out is read as `{}`.
    pub(crate) fn or_empty<T>(
        &self,
        name: &'static str,
        read: impl FnOnce(&Object<'_>) -> Option<T>,
    ) -> Option<T> {
        let empty = Node { value: Value::Mapping(Vec::new()), position: self.cursor.node.position };
        self.child_or(name, &empty).object(read)
    }

    #[inline(never)]
    fn child_or<'c>(&'c self, name: &'static str, empty: &'c Node) -> Cursor<'c> {
        match self.entry(name) {
            Some((key, node)) if !node.is_null() => self.cursor.field(name, key.position, node),
            Some((key, _)) => self.cursor.field(name, key.position, empty),
            None => self.cursor.field(name, None, empty),
        }
    }

    /// A text, unless left out or empty: the two are the same in Istio's messages.
    #[inline(never)]
    pub(crate) fn text(&self, name: &'static str) -> Option<String> {
        self.get(name, |at| at.string()).filter(|text| !text.is_empty())
    }

    /// A boolean, `false` if left out.
    #[inline(never)]
    pub(crate) fn flag(&self, name: &'static str) -> bool {
        self.get(name, |at| at.bool()).unwrap_or_default()
    }

    /// Whether a field is there and not `null`.
    #[inline(never)]
    pub(crate) fn has(&self, name: &'static str) -> bool {
        self.entry(name).is_some_and(|(_, node)| !node.is_null())
    }

    /// Whether there are fields that nobody has asked for so far.
    pub(crate) fn has_unknown(&self) -> bool {
        let (Value::Mapping(entries), known) = (&self.cursor.node.value, self.known.borrow()) else {
            return false;
        };
        entries.iter().any(|(key, _)| !known.iter().any(|name| is_name(&key.name, name)))
    }

    #[inline(never)]
    fn must_have(&self, name: &'static str) -> Option<Cursor<'_>> {
        let child = self.child(name);
        if child.is_none() {
            self.cursor.error(format_args!("missing `{name}`"));
        }
        child
    }

    /// Knows a field without reading it.
    #[inline(never)]
    pub(crate) fn skip(&self, name: &'static str) {
        self.known.borrow_mut().push(name);
    }

    /// Knows every field there is: for Kubernetes' own kinds, of which only a part is read.
    pub(crate) fn ignore_rest(&self) {
        self.known.borrow_mut().push(ANY);
    }

    /// Whether a field says more than if it were left out: an empty list or text does not.
    #[inline(never)]
    pub(crate) fn is_set(&self, name: &'static str) -> bool {
        self.child(name).is_some_and(|child| match &child.node.value {
            Value::Sequence(items) => !items.is_empty(),
            Value::String(text) => !text.is_empty(),
            _ => true,
        })
    }

    /// Reports if more than one of `names`, alternatives of a `oneof`, is there.
    pub(crate) fn at_most_one(&self, names: &[&'static str]) {
        self.only_one(names, |name| self.has(name));
    }

    /// Reports if more than one of `names` is set. Unlike a `oneof`, an empty one is as if left out.
    pub(crate) fn at_most_one_set(&self, names: &[&'static str]) {
        self.only_one(names, |name| self.is_set(name));
    }

    #[inline(never)]
    fn only_one(&self, names: &[&'static str], is_given: impl Fn(&'static str) -> bool) {
        let given: Vec<_> =
            names.iter().filter(|name| is_given(name)).map(|name| format!("`{name}`")).collect();
        if given.len() > 1 {
            self.cursor.error(format_args!("only one of {} can be given", given.join(" and ")));
        }
    }

    /// Reports the names that are given again in the list `field`, which are a `what`. The elements are pointed at
    /// if all of them could be read.
    #[inline(never)]
    pub(crate) fn repeated(&self, field: &'static str, what: &str, names: &[&str]) {
        let Some(list) = self.child(field) else {
            return;
        };
        let complete = list.element(names.len()).is_none();
        for at in ordered::repeated(names) {
            let element = if complete { list.element(at) } else { None };
            let name = names.get(at).copied().unwrap_or_default();
            element
                .unwrap_or(list)
                .error(format_args!("{what} `{}` is given twice", super::cursor::shorten(name)));
        }
    }

    #[inline(never)]
    fn report_unknown(&self) {
        let known = self.known.borrow();
        let Value::Mapping(entries) = &self.cursor.node.value else {
            return;
        };
        for (at, (key, node)) in entries.iter().enumerate() {
            let cursor = self.cursor.field(&key.name, key.position, node);
            let Some(name) = known.iter().find(|name| is_name(&key.name, name)) else {
                if !known.contains(&ANY) {
                    let hint = suggest::field(&key.name, &known);
                    let (path, message) =
                        (cursor.path(), format!("unknown field `{}`", super::cursor::shorten(&key.name)));
                    let place = (path, key.position);
                    self.cursor.sink.report(Severity::Error, code::SCHEMA, place, message, hint);
                }
                continue;
            };
            if entries.iter().take(at).any(|(earlier, _)| is_name(&earlier.name, name)) {
                cursor.error(format_args!("`{name}` is given twice, by both of its spellings"));
            }
        }
    }
}

/// Stands among the known fields for all others.
const ANY: &str = "*";

/// Whether `key` is the field `name`, by its JSON name or by that of the protobuf message (`perTryTimeout`,
/// `per_try_timeout`).
fn is_name(key: &str, name: &str) -> bool {
    key == name || (key.contains('_') && to_camel_case(key) == name)
}

fn to_camel_case(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    let mut upper = false;
    for letter in name.chars() {
        match letter {
            '_' => upper = true,
            _ if upper => {
                camel.push(letter.to_ascii_uppercase());
                upper = false;
            }
            _ => camel.push(letter),
        }
    }
    camel
}
