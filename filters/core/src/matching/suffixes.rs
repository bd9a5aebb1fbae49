//! Which of many suffixes a string ends with.

use super::affixes::{Affixes, At};

/// Suffixes with a value each.
#[derive(Debug)]
pub struct Suffixes<V> {
    affixes: Affixes,
    values: Vec<V>,
}

impl<V> Default for Suffixes<V> {
    fn default() -> Self {
        Self { affixes: Affixes::default(), values: Vec::new() }
    }
}

impl<V> Suffixes<V> {
    /// Sorts distinct suffixes, each with a value.
    pub fn new((texts, values): (Vec<Box<[u8]>>, Vec<V>)) -> Self {
        Self { affixes: Affixes::new(At::End, texts), values }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.affixes.is_empty()
    }

    /// Every value, in no particular order.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.values.iter()
    }

    /// Every suffix that `text` ends with and its value, the longest first.
    pub fn of<'s, 't>(&'s self, text: &'t [u8]) -> impl Iterator<Item = (&'s [u8], &'s V)> + use<'s, 't, V> {
        let found = self.affixes.of(text);
        found.filter_map(|(suffix, number)| Some((suffix, self.values.get(number)?)))
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn finds_every_suffix_longest_first() {
        let texts = ["", ".com", ".example.com", "a.example.com", ".b.example.com", "le.com", ".org"];
        let suffixes = Suffixes::new(texts.map(|text| (text.as_bytes().into(), text)).into_iter().unzip());
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
