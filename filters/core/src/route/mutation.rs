//! Header changes of a rule and its destinations, in the order in which Envoy applies them.

use std::borrow::Cow;
use std::sync::Arc;

use outrigger_api::types::common::{HeaderOperations, HeaderValue};

use super::response::{PendingList, PendingWrite};
use crate::Attributes;
use crate::format::{Scene, Template};
use crate::verdict::HeaderOp;

/// Header changes, compiled.
#[derive(Debug)]
pub(super) enum Changes {
    /// The same for every request.
    Fixed(Arc<[HeaderOp<'static>]>),
    /// Some value has a format operator. A list sees the headers as the one before has left them.
    Formatted(Vec<List>),
}

/// Changes that Envoy makes as one: it removes, then works out every value, then writes them.
#[derive(Debug)]
pub(super) struct List {
    remove: Vec<Cow<'static, str>>,
    write: Vec<Write>,
}

#[derive(Debug)]
struct Write {
    name: Cow<'static, str>,
    append: bool,
    value: Template,
}

impl Default for Changes {
    fn default() -> Self {
        Self::Fixed(Arc::default())
    }
}

impl Changes {
    /// Each of `lists` is made of several that Envoy applies as one: every removal, then every `set`, then every
    /// `add`, each in order (Istio appends the only destination's list to the rule's; several destinations have
    /// lists of their own). An empty value changes nothing. `:authority` and `host` are no header changes but a host
    /// rewrite: see [`authority`]. What [`Template::parse`] refuses has been reported by then.
    pub(super) fn new(lists: &[&[&HeaderOperations]]) -> Self {
        let is_formatted = |(_, (_, value)): &Written<'_>| matches!(Template::parse(value), Ok(Some(_)));
        if lists.iter().any(|list| writes(list).iter().any(is_formatted)) {
            return Self::Formatted(lists.iter().map(|list| List::new(list)).collect());
        }
        let mut ops = Vec::new();
        for list in lists {
            ops.extend(removed(list).into_iter().map(HeaderOp::Remove));
            for (append, (name, value)) in writes(list) {
                let (name, value) = (Cow::Owned(name.clone()), Cow::Owned(plain(value).into_bytes()));
                ops.push(if append { HeaderOp::Add(name, value) } else { HeaderOp::Set(name, value) });
            }
        }
        Self::Fixed(ops.into())
    }

    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::Fixed(ops) if ops.is_empty())
    }

    /// What the values ask to have kept for them.
    pub(super) fn attributes(&self) -> Attributes {
        let mut all = Attributes::none();
        if let Self::Formatted(lists) = self {
            for write in lists.iter().flat_map(|list| &list.write) {
                all |= write.value.attributes();
            }
        }
        all
    }

    /// Adds the changes to a request's headers to those of `ops`, which are made already.
    pub(super) fn to_request<'e>(&'e self, scene: &Scene<'_, '_>, ops: &mut Vec<HeaderOp<'e>>) {
        match self {
            Self::Fixed(fixed) => ops.extend(fixed.iter().map(HeaderOp::borrowed)),
            Self::Formatted(lists) => {
                for list in lists {
                    ops.extend(list.remove.iter().map(|name| HeaderOp::Remove(Cow::Borrowed(name))));
                    let scene = Scene { ops: ops.as_slice(), ..*scene };
                    let written = list.write.iter().filter_map(|write| {
                        written(Cow::Borrowed(&*write.name), write.append, write.value.of_request(&scene))
                    });
                    let written: Vec<_> = written.collect();
                    ops.extend(written);
                }
            }
        }
    }

    /// The changes to a response's headers, with the values of the request filled in; `None` if they are fixed.
    pub(super) fn to_response(&self, scene: &Scene<'_, '_>) -> Option<Vec<PendingList>> {
        let Self::Formatted(lists) = self else { return None };
        let lists = lists.iter().map(|list| PendingList {
            remove: list.remove.clone(),
            write: list.write.iter().map(|write| write.pending(scene)).collect(),
        });
        Some(lists.collect())
    }
}

impl List {
    fn new(lists: &[&HeaderOperations]) -> Self {
        let write = writes(lists).into_iter().map(|(append, (name, value))| Write {
            name: Cow::Owned(name.clone()),
            append,
            value: Template::parse(value).ok().flatten().unwrap_or_else(|| Template::text(&plain(value))),
        });
        Self { remove: removed(lists), write: write.collect() }
    }
}

impl Write {
    fn pending(&self, scene: &Scene<'_, '_>) -> PendingWrite {
        PendingWrite { name: self.name.clone(), append: self.append, value: self.value.fill(scene) }
    }
}

/// The change that writes `value`. Nothing is written that is empty, or that no header may hold: a decoded query
/// parameter can be anything.
pub(super) fn written<'e>(name: Cow<'e, str>, append: bool, value: Vec<u8>) -> Option<HeaderOp<'e>> {
    if value.is_empty() || value.iter().any(|byte| matches!(byte, 0 | b'\r' | b'\n')) {
        return None;
    }
    Some(if append { HeaderOp::Add(name, value.into()) } else { HeaderOp::Set(name, value.into()) })
}

/// Whether a header is added to others of its name, its name and value.
type Written<'l> = (bool, &'l HeaderValue);

/// What is written, every `set` first.
fn writes<'l>(lists: &[&'l HeaderOperations]) -> Vec<Written<'l>> {
    let mut all = Vec::new();
    for append in [false, true] {
        for list in lists {
            for pair in if append { &list.add } else { &list.set } {
                if !is_authority(&pair.0) && !pair.1.is_empty() {
                    all.push((append, pair));
                }
            }
        }
    }
    all
}

fn removed(lists: &[&HeaderOperations]) -> Vec<Cow<'static, str>> {
    let mut all = Vec::new();
    for list in lists {
        for name in &list.remove {
            if !name.starts_with(':') && !is_authority(name) {
                all.push(Cow::Owned(name.clone()));
            }
        }
    }
    all
}

/// The new `:authority` that a list asks for. Envoy takes it literally: no format operators.
pub(super) fn authority(list: &HeaderOperations) -> Option<&str> {
    let named = list.set.iter().chain(&list.add).filter(|(name, _)| is_authority(name));
    named.map(|(_, value)| value.as_str()).rfind(|value| !value.is_empty())
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

pub(super) fn is_authority(name: &str) -> bool {
    name == ":authority" || name == "host"
}

/// A value without operators, its percent signs as they are meant.
fn plain(value: &str) -> String {
    value.replace("%%", "%")
}

#[cfg(test)]
mod tests;
