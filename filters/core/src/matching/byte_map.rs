//! Values by bytes.

use std::collections::HashMap;

use foldhash::fast::FixedState;
use outrigger_api::ordered;

/// Values by bytes. The default hasher needs no randomness, which a filter would have to ask the host for: it is for keys
/// from the configuration, which requests only look up.
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
    /// With a hasher that nobody knows, for keys from requests.
    pub fn with_hasher(hasher: FixedState) -> Self {
        Self { places: HashMap::with_hasher(hasher), values: Vec::new() }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.places.clear();
        self.values.clear();
    }

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

    /// Gives `key` this value, whether it has one or not.
    pub fn replace(&mut self, key: Box<[u8]>, value: V) {
        match self.places.get(&key).and_then(|place| self.values.get_mut(*place)) {
            Some(known) => *known = value,
            None => self.insert(key, value),
        }
    }

    /// Gives `key` this value, unless it has one.
    pub fn insert(&mut self, key: Box<[u8]>, value: V) {
        self.place(key, || value);
    }

    /// The keys in order, and the value of each.
    pub fn into_sorted(mut self) -> (Vec<Box<[u8]>>, Vec<V>) {
        let (keys, places) = sorted(self.places);
        ordered::arrange(&mut self.values, &places);
        (keys, self.values)
    }

    /// The values in the order of their keys.
    pub fn into_values(self) -> Vec<V> {
        self.into_sorted().1
    }
}

#[inline(never)]
fn number(places: &mut HashMap<Box<[u8]>, usize, FixedState>, key: Box<[u8]>, next: usize) -> usize {
    *places.entry(key).or_insert(next)
}

#[inline(never)]
fn sorted(places: HashMap<Box<[u8]>, usize, FixedState>) -> (Vec<Box<[u8]>>, Vec<usize>) {
    let mut sorted: Vec<_> = places.into_iter().collect();
    ordered::sort(&mut sorted);
    sorted.into_iter().unzip()
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
        map.replace(b"b"[..].into(), 9);
        map.replace(b"c"[..].into(), 8);
        let keys: Vec<Box<[u8]>> = ["", "a", "b", "c"].map(|key| key.as_bytes().into()).into();
        assert_eq!(map.clone().into_sorted(), (keys, vec![15, 12, 9, 8]));
        map.clear();
        assert!(map.is_empty() && map.get(b"a").is_none());
    }
}
