//! Which of many prefixes a string begins with.

use outrigger_api::ordered;

/// Prefixes with a value each.
///
/// They are kept sorted, and each knows the longest other one that is a prefix of it. All prefixes of a string are
/// then found by one binary search and a walk along those links: they sort before the string, and nothing between
/// the longest of them and the string can fail to begin with it.
#[derive(Debug)]
pub struct Prefixes<V> {
    sorted: Vec<Prefix<V>>,
}

#[derive(Debug)]
struct Prefix<V> {
    text: Box<[u8]>,
    shorter: Option<usize>,
    value: V,
}

impl<V> Default for Prefixes<V> {
    fn default() -> Self {
        Self { sorted: Vec::new() }
    }
}

impl<V> Prefixes<V> {
    /// Sorts distinct prefixes.
    pub fn new(prefixes: impl IntoIterator<Item = (Box<[u8]>, V)>) -> Self {
        let mut sorted: Vec<_> =
            prefixes.into_iter().map(|(text, value)| Prefix { text, shorter: None, value }).collect();
        ordered::sort_by(&mut sorted, |one, other| one.text.cmp(&other.text));
        let mut open: Vec<(usize, Box<[u8]>)> = Vec::new();
        for (at, prefix) in sorted.iter_mut().enumerate() {
            while open.last().is_some_and(|(_, text)| !prefix.text.starts_with(text)) {
                open.pop();
            }
            prefix.shorter = open.last().map(|(at, _)| *at);
            open.push((at, prefix.text.clone()));
        }
        Self { sorted }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    /// The values of every prefix that `text` begins with, the longest first.
    pub fn of<'p>(&'p self, text: &'p [u8]) -> impl Iterator<Item = &'p V> {
        let after = self.sorted.partition_point(|prefix| *prefix.text <= *text);
        let nearest = after.checked_sub(1).and_then(|at| self.sorted.get(at));
        let chain =
            std::iter::successors(nearest, |prefix| prefix.shorter.and_then(|at| self.sorted.get(at)));
        chain.filter(|prefix| text.starts_with(&prefix.text)).map(|prefix| &prefix.value)
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn finds_every_prefix_longest_first() {
        let texts = ["", "/", "/a", "/a/b", "/a/c", "/ab", "/b", "/a/b/c/d"];
        let prefixes = Prefixes::new(texts.map(|text| (text.as_bytes().into(), text)));
        for (text, found) in [
            ("/a/b/c", &["/a/b", "/a", "/", ""][..]),
            ("/a/bb", &["/a/b", "/a", "/", ""]),
            ("/ab", &["/ab", "/a", "/", ""]),
            ("/a0", &["/a", "/", ""]),
            ("/c", &["/", ""]),
            ("x", &[""]),
            ("", &[""]),
        ] {
            assert_eq!(prefixes.of(text.as_bytes()).copied().collect::<Vec<_>>(), found, "{text}");
        }
        assert_eq!(Prefixes::<()>::default().of(b"/").count(), 0);
    }
}
