//! Which of many texts another one begins, or ends, with.

use std::cmp::Ordering;

use outrigger_api::ordered;

/// Where texts have to agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum At {
    /// They are prefixes.
    #[default]
    Start,
    /// They are suffixes.
    End,
}

/// Prefixes or suffixes by number. What they stand for is elsewhere, so that all kinds of values share this code.
///
/// They are kept sorted, suffixes from their end, and each knows the longest other one that is a prefix of it. All
/// prefixes of a text are then found by one binary search and a walk along those links: they sort before the text, and
/// nothing between the longest of them and the text can fail to begin with it.
#[derive(Debug, Default)]
pub(super) struct Affixes {
    at: At,
    sorted: Vec<Affix>,
}

#[derive(Debug)]
struct Affix {
    text: Box<[u8]>,
    shorter: Option<usize>,
    number: usize,
}

impl At {
    fn compare(self, one: &[u8], other: &[u8]) -> Ordering {
        match self {
            Self::Start => one.cmp(other),
            Self::End => one.iter().rev().cmp(other.iter().rev()),
        }
    }

    fn fits(self, text: &[u8], affix: &[u8]) -> bool {
        match self {
            Self::Start => text.starts_with(affix),
            Self::End => text.ends_with(affix),
        }
    }
}

impl Affixes {
    /// Sorts distinct texts, which are numbered from 0.
    #[inline(never)]
    pub(super) fn new(at: At, texts: Vec<Box<[u8]>>) -> Self {
        let texts = texts.into_iter().enumerate();
        let mut sorted: Vec<_> = texts.map(|(number, text)| Affix { text, shorter: None, number }).collect();
        ordered::sort_by(&mut sorted, |one, other| at.compare(&one.text, &other.text));
        let mut open: Vec<(usize, Box<[u8]>)> = Vec::new();
        for (place, affix) in sorted.iter_mut().enumerate() {
            while open.last().is_some_and(|(_, text)| !at.fits(&affix.text, text)) {
                open.pop();
            }
            affix.shorter = open.last().map(|(place, _)| *place);
            open.push((place, affix.text.clone()));
        }
        Self { at, sorted }
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    /// Every one that fits `text`, and its number, the longest first.
    pub(super) fn of<'s, 't>(
        &'s self,
        text: &'t [u8],
    ) -> impl Iterator<Item = (&'s [u8], usize)> + use<'s, 't> {
        let chain = std::iter::successors(self.nearest(text), |affix| {
            affix.shorter.and_then(|place| self.sorted.get(place))
        });
        chain.filter(|affix| self.at.fits(text, &affix.text)).map(|affix| (&*affix.text, affix.number))
    }

    fn nearest(&self, text: &[u8]) -> Option<&Affix> {
        let after =
            self.sorted.partition_point(|affix| self.at.compare(&affix.text, text) != Ordering::Greater);
        after.checked_sub(1).and_then(|place| self.sorted.get(place))
    }
}
