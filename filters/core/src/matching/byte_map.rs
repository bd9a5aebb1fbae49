//! Values by bytes.

use std::collections::HashMap;

use foldhash::fast::FixedState;
use outrigger_api::ordered;

/// Values by bytes. Its hasher needs no randomness, which a filter would have to ask the host for: keys come from the
/// configuration, requests only look them up.
///
/// The table holds places, whatever the values are: the standard library's is compiled anew for each type of value, at
/// 1.3 kB of WebAssembly.
#[derive(Debug, Clone)]
pub struct ByteMap<V> {
    places: HashMap<Box<[u8]>, usize, FixedState>,
    values: Vec<V>,
}

/// A set of byte strings.
pub type ByteSet = ByteMap<()>;

impl<V> Default for ByteMap<V> {
    fn default() -> Self {
        Self { places: HashMap::default(), values: Vec::new() }
    }
}

impl<V> ByteMap<V> {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The value of `key`.
    pub fn get(&self, key: &[u8]) -> Option<&V> {
        self.values.get(*self.places.get(key)?)
    }

    /// Whether there is a value of `key`.
    pub fn contains(&self, key: &[u8]) -> bool {
        self.places.contains_key(key)
    }

    /// Every value, in the order in which they came.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.values.iter()
    }

    /// Where the value of `key` is among all, made by `make` if it has none yet.
    pub fn place(&mut self, key: Box<[u8]>, make: impl FnOnce() -> V) -> usize {
        let next = self.values.len();
        let place = number(&mut self.places, key, next);
        if place == next {
            self.values.push(make());
        }
        place
    }

    /// Changes the value of `key`, made by `make` if it has none yet.
    pub fn change(&mut self, key: Box<[u8]>, make: impl FnOnce() -> V, change: impl FnOnce(&mut V)) {
        let place = self.place(key, make);
        if let Some(value) = self.values.get_mut(place) {
            change(value);
        }
    }

    /// Gives `key` this value, unless it has one.
    pub fn insert(&mut self, key: Box<[u8]>, value: V) {
        self.place(key, || value);
    }

    /// Keys and values, in the order of the keys.
    pub fn into_sorted(self) -> impl Iterator<Item = (Box<[u8]>, V)> {
        let mut values: Vec<Option<V>> = self.values.into_iter().map(Some).collect();
        let places = sorted(self.places).into_iter();
        places.filter_map(move |(key, place)| Some((key, values.get_mut(place)?.take()?)))
    }
}

#[inline(never)]
fn number(places: &mut HashMap<Box<[u8]>, usize, FixedState>, key: Box<[u8]>, next: usize) -> usize {
    *places.entry(key).or_insert(next)
}

#[inline(never)]
fn sorted(places: HashMap<Box<[u8]>, usize, FixedState>) -> Vec<(Box<[u8]>, usize)> {
    let mut sorted: Vec<_> = places.into_iter().collect();
    ordered::sort(&mut sorted);
    sorted
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn the_first_value_of_a_key_stays() {
        let mut map = ByteMap::default();
        for (key, value) in [("b", 1), ("a", 2), ("b", 3)] {
            map.insert(key.as_bytes().into(), value);
        }
        map.change(b"a"[..].into(), || 0, |value| *value += 10);
        map.change(b""[..].into(), || 5, |value| *value += 10);
        assert_eq!(map.values().copied().collect::<Vec<_>>(), [1, 12, 15]);
        assert_eq!((map.get(b"b"), map.get(b"c"), map.contains(b"a")), (Some(&1), None, true));
        assert_eq!(map.place(b"a"[..].into(), || 7), 1);
        let sorted: Vec<(Box<[u8]>, i32)> =
            vec![(b""[..].into(), 15), (b"a"[..].into(), 12), (b"b"[..].into(), 1)];
        assert_eq!(map.into_sorted().collect::<Vec<_>>(), sorted);
    }
}
