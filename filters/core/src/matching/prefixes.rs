//! Which of many prefixes a string begins with.

use super::affixes::{Affixes, At};

/// Prefixes with a value each.
#[derive(Debug)]
pub struct Prefixes<V> {
    affixes: Affixes,
    values: Vec<V>,
}

impl<V> Default for Prefixes<V> {
    fn default() -> Self {
        Self { affixes: Affixes::default(), values: Vec::new() }
    }
}

impl<V> Prefixes<V> {
    /// Sorts distinct prefixes, each with a value.
    pub fn new((texts, values): (Vec<Box<[u8]>>, Vec<V>)) -> Self {
        Self { affixes: Affixes::new(At::Start, texts), values }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.affixes.is_empty()
    }

    /// The values of every prefix that `text` begins with, the longest first.
    pub fn of<'p>(&'p self, text: &'p [u8]) -> impl Iterator<Item = &'p V> {
        self.affixes.of(text).filter_map(|(_, number)| self.values.get(number))
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
        let prefixes = Prefixes::new(texts.map(|text| (text.as_bytes().into(), text)).into_iter().unzip());
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
