//! Under which texts a value stands, so that one it covers finds it.

use std::collections::{BTreeSet, HashMap};

use ipnet::IpNet;
use outrigger_core::matching::template::Template;

use super::field::Field;
use super::shape::Shape;

/// What a rule stands under.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key<'r> {
    /// A value of a field.
    Value(Slot<'r>, Way, String),
    /// Something that it excludes, where it asks for nothing else of this field.
    Not(Field<'r>, Shape<'r>),
}

/// A field, or one of the two texts of a token's principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Slot<'r>(Field<'r>, Part);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Part {
    Whole,
    Issuer,
    Subject,
}

/// How a value is compared with the text of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Way {
    /// It need not be: `*`.
    Any,
    Exact,
    Prefix,
    Suffix,
    Block,
    /// Patterns of which only the notation is known.
    Same,
}

impl<'r> Key<'r> {
    /// Under what a rule stands that asks for this value of a field.
    pub(super) fn of(field: Field<'r>, value: &Shape<'r>) -> Self {
        stand(Slot(field, Part::Whole), value)
    }
}

fn stand<'r>(slot: Slot<'r>, value: &Shape<'r>) -> Key<'r> {
    let (way, text) = match value {
        Shape::Any => (Way::Any, String::new()),
        Shape::Exact(text) => (Way::Exact, text.to_string()),
        Shape::Prefix(text) => (Way::Prefix, text.to_string()),
        Shape::Suffix(text) => (Way::Suffix, text.to_string()),
        Shape::Template(segments) => {
            let literal = Template::new(segments).literal_prefix();
            (Way::Prefix, String::from_utf8_lossy(&literal).into_owned())
        }
        Shape::Block(block) => (Way::Block, block.trunc().to_string()),
        Shape::Pair(pair) if pair.1 != Shape::Any => return stand(Slot(slot.0, Part::Subject), &pair.1),
        Shape::Pair(pair) => return stand(Slot(slot.0, Part::Issuer), &pair.0),
        Shape::Other(text) => (Way::Same, text.to_string()),
    };
    Key::Value(slot, way, text)
}

/// How long the texts of the keys are: which parts of a value have to be looked up.
#[derive(Debug, Default)]
pub(super) struct Lengths<'r>(HashMap<(Slot<'r>, Way), BTreeSet<usize>>);

impl<'r> Lengths<'r> {
    /// Takes note of a key.
    pub(super) fn add(&mut self, key: &Key<'r>) {
        let Key::Value(slot, way, text) = key else { return };
        let length = match way {
            Way::Prefix | Way::Suffix => text.len(),
            Way::Block => text.parse().map_or(0, |block: IpNet| block.prefix_len().into()),
            Way::Any | Way::Exact | Way::Same => return,
        };
        self.0.entry((*slot, *way)).or_default().insert(length);
    }

    /// Every key under which a value that covers this one can stand.
    pub(super) fn around(&self, field: Field<'r>, value: &Shape<'r>, found: &mut impl FnMut(Key<'r>)) {
        self.look(Slot(field, Part::Whole), value, found);
    }

    fn look(&self, slot: Slot<'r>, value: &Shape<'r>, found: &mut impl FnMut(Key<'r>)) {
        found(Key::Value(slot, Way::Any, String::new()));
        match value {
            Shape::Any => {}
            Shape::Exact(text) => {
                found(Key::Value(slot, Way::Exact, text.to_string()));
                self.beginnings(slot, text, found);
                self.endings(slot, text, found);
            }
            Shape::Prefix(text) => self.beginnings(slot, text, found),
            Shape::Suffix(text) => self.endings(slot, text, found),
            Shape::Template(segments) => {
                let literal = Template::new(segments).literal_prefix();
                self.beginnings(slot, &String::from_utf8_lossy(&literal), found);
            }
            Shape::Block(block) => {
                for length in self.up_to(slot, Way::Block, block.prefix_len().into()) {
                    let wider =
                        u8::try_from(length).ok().and_then(|length| IpNet::new(block.addr(), length).ok());
                    wider.into_iter().for_each(|wider| {
                        found(Key::Value(slot, Way::Block, wider.trunc().to_string()));
                    });
                }
            }
            Shape::Pair(pair) => {
                self.look(Slot(slot.0, Part::Issuer), &pair.0, found);
                self.look(Slot(slot.0, Part::Subject), &pair.1, found);
            }
            Shape::Other(text) => found(Key::Value(slot, Way::Same, text.to_string())),
        }
    }

    fn beginnings(&self, slot: Slot<'r>, text: &str, found: &mut impl FnMut(Key<'r>)) {
        let lengths = self.up_to(slot, Way::Prefix, text.len());
        let parts = lengths.filter_map(|length| text.get(..length));
        parts.for_each(|part| found(Key::Value(slot, Way::Prefix, part.to_owned())));
    }

    fn endings(&self, slot: Slot<'r>, text: &str, found: &mut impl FnMut(Key<'r>)) {
        let lengths = self.up_to(slot, Way::Suffix, text.len());
        let parts = lengths.filter_map(|length| text.get(text.len().checked_sub(length)?..));
        parts.for_each(|part| found(Key::Value(slot, Way::Suffix, part.to_owned())));
    }

    fn up_to(&self, slot: Slot<'r>, way: Way, most: usize) -> impl Iterator<Item = usize> {
        self.0.get(&(slot, way)).into_iter().flat_map(move |lengths| lengths.range(..=most).copied())
    }
}
