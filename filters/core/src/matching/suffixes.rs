//! Which of many suffixes a string ends with.

use outrigger_api::ordered;
use std::cmp::Ordering;

/// Suffixes with a value each: [`super::prefixes::Prefixes`] read from the end.
#[derive(Debug)]
pub struct Suffixes<V> {
    /// Ordered by their bytes from the last to the first.
    sorted: Vec<Suffix<V>>,
}

#[derive(Debug)]
struct Suffix<V> {
    text: Box<[u8]>,
    shorter: Option<usize>,
    value: V,
}

impl<V> Default for Suffixes<V> {
    fn default() -> Self {
        Self { sorted: Vec::new() }
    }
}

impl<V> Suffixes<V> {
    /// Sorts distinct suffixes.
    pub fn new(suffixes: impl IntoIterator<Item = (Box<[u8]>, V)>) -> Self {
        let mut sorted: Vec<_> =
            suffixes.into_iter().map(|(text, value)| Suffix { text, shorter: None, value }).collect();
        ordered::sort_by(&mut sorted, |one, other| from_the_end(&one.text, &other.text));
        let mut open: Vec<(usize, Box<[u8]>)> = Vec::new();
        for (at, suffix) in sorted.iter_mut().enumerate() {
            while open.last().is_some_and(|(_, text)| !suffix.text.ends_with(text)) {
                open.pop();
            }
            suffix.shorter = open.last().map(|(at, _)| *at);
            open.push((at, suffix.text.clone()));
        }
        Self { sorted }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    /// Every value, in no particular order.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.sorted.iter().map(|suffix| &suffix.value)
    }

    /// Every suffix that `text` ends with and its value, the longest first.
    pub fn of<'s, 't>(&'s self, text: &'t [u8]) -> impl Iterator<Item = (&'s [u8], &'s V)> + use<'s, 't, V> {
        let after =
            self.sorted.partition_point(|suffix| from_the_end(&suffix.text, text) != Ordering::Greater);
        let nearest = after.checked_sub(1).and_then(|at| self.sorted.get(at));
        let chain =
            std::iter::successors(nearest, |suffix| suffix.shorter.and_then(|at| self.sorted.get(at)));
        chain.filter(|suffix| text.ends_with(&suffix.text)).map(|suffix| (&*suffix.text, &suffix.value))
    }
}

fn from_the_end(one: &[u8], other: &[u8]) -> Ordering {
    one.iter().rev().cmp(other.iter().rev())
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn finds_every_suffix_longest_first() {
        let texts = ["", ".com", ".example.com", "a.example.com", ".b.example.com", "le.com", ".org"];
        let suffixes = Suffixes::new(texts.map(|text| (text.as_bytes().into(), text)));
        for (text, found) in [
            ("x.example.com", &[".example.com", "le.com", ".com", ""][..]),
            ("a.example.com", &["a.example.com", ".example.com", "le.com", ".com", ""]),
            ("a.b.example.com", &[".b.example.com", ".example.com", "le.com", ".com", ""]),
            ("com", &[""]),
            ("", &[""]),
        ] {
            let of: Vec<_> = suffixes.of(text.as_bytes()).map(|(_, value)| *value).collect();
            assert_eq!(of, found, "{text}");
        }
        assert_eq!(Suffixes::<()>::default().of(b"x").count(), 0);
    }
}
