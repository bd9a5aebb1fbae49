//! What an expression says, as a tree.

use super::ByteClass;

/// A regular expression over bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// These bytes, which may be none.
    Literal(Vec<u8>),
    /// One byte of a set, which may be empty: then nothing matches.
    Class(Box<ByteClass>),
    /// Nothing, but only at some places.
    Assertion(Assertion),
    /// A group that keeps what it matches, by its number; they count from 1.
    Group(u32, Box<Expression>),
    /// One after the other.
    Sequence(Vec<Expression>),
    /// The first that leads to a match.
    Choice(Vec<Expression>),
    /// The same several times.
    Repetition(Box<Repetition>),
}

/// The same several times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repetition {
    /// How often at least.
    pub least: u32,
    /// How often at most; `None`: any number.
    pub most: Option<u32>,
    /// Whether rather more often than less.
    pub greedy: bool,
    /// What is repeated.
    pub what: Expression,
}

/// What must be true of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assertion {
    /// The text begins here.
    Start,
    /// The text ends here.
    End,
    /// A line begins here.
    LineStart,
    /// A line ends here.
    LineEnd,
    /// A letter, digit or `_` of ASCII is on one side only.
    WordBoundary,
    /// On both sides, or on none.
    NoWordBoundary,
}

impl Expression {
    /// Matches the empty text.
    pub(super) fn empty() -> Self {
        Self::Literal(Vec::new())
    }

    /// One byte of `set`.
    pub(super) fn one_of(set: ByteClass) -> Self {
        match set.only() {
            Some(byte) => Self::Literal(vec![byte]),
            None => Self::Class(Box::new(set)),
        }
    }

    /// One after the other.
    pub(super) fn sequence(mut parts: Vec<Self>) -> Self {
        match parts.len() {
            0 => Self::empty(),
            1 => parts.pop().unwrap_or_else(Self::empty),
            _ => Self::Sequence(parts),
        }
    }

    /// The first that leads to a match. Where each takes one byte the order makes no difference.
    pub(super) fn choice(mut choices: Vec<Self>) -> Self {
        if choices.len() < 2 {
            return choices.pop().unwrap_or_else(Self::empty);
        }
        let mut all = ByteClass::default();
        for choice in &choices {
            match choice {
                Self::Class(set) => all.insert_all(**set),
                Self::Literal(bytes) if bytes.len() == 1 => bytes.iter().for_each(|byte| all.insert(*byte)),
                _ => return Self::Choice(choices),
            }
        }
        Self::one_of(all)
    }

    /// Whether the empty text may match.
    pub fn may_be_empty(&self) -> bool {
        match self {
            Self::Literal(bytes) => bytes.is_empty(),
            Self::Class(_) => false,
            Self::Assertion(_) => true,
            Self::Group(_, inner) => inner.may_be_empty(),
            Self::Sequence(parts) => parts.iter().all(Self::may_be_empty),
            Self::Choice(choices) => choices.iter().any(Self::may_be_empty),
            Self::Repetition(repetition) => repetition.least == 0 || repetition.what.may_be_empty(),
        }
    }

    /// How many groups keep what they match.
    pub fn groups(&self) -> usize {
        match self {
            Self::Literal(_) | Self::Class(_) | Self::Assertion(_) => 0,
            Self::Group(_, inner) => inner.groups().saturating_add(1),
            Self::Sequence(parts) | Self::Choice(parts) => {
                parts.iter().map(Self::groups).fold(0, usize::saturating_add)
            }
            Self::Repetition(repetition) => repetition.what.groups(),
        }
    }
}
