//! Values by bytes.

use std::hash::BuildHasher as _;

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use outrigger_api::ordered;

use super::same;

/// Values by bytes. The default hasher needs no randomness, which a filter would have to ask the host for: it is for keys
/// from the configuration, which requests only look up.
///
/// The table holds places, whatever the values are: it is compiled once, and not anew for each type of value.
#[derive(Debug, Clone)]
pub struct ByteMap<V> {
    keys: Keys,
    values: Vec<V>,
}

/// A set of byte strings.
pub type ByteSet = ByteMap<()>;

/// So many keys are looked through: for a few it takes longer to hash, and more code.
const FEW: usize = 4;

/// Keys in the order in which they came, each once.
#[derive(Debug, Clone, Default)]
struct Keys {
    all: Vec<Box<[u8]>>,
    /// Where they are, once there are more than [`FEW`].
    places: HashTable<u32>,
    hasher: FixedState,
}

impl Keys {
    #[inline(never)]
    fn place(&self, key: &[u8]) -> Option<usize> {
        if self.all.len() <= FEW {
            return self.all.iter().position(|known| same(known, key));
        }
        let is_key = |place: &u32| at(&self.all, *place).is_some_and(|known| same(known, key));
        self.places.find(self.hasher.hash_one(key), is_key).and_then(|place| usize::try_from(*place).ok())
    }

    /// Adds a key that is not there.
    #[inline(never)]
    fn push(&mut self, key: Box<[u8]>) {
        let first = if self.all.len() == FEW { 0 } else { self.all.len() };
        self.all.push(key);
        if self.all.len() <= FEW {
            return;
        }
        let Self { all, places, hasher } = self;
        let hash = |place: &u32| at(all, *place).map_or(0, |key| hasher.hash_one(key));
        for place in (first..all.len()).filter_map(|place| u32::try_from(place).ok()) {
            places.insert_unique(hash(&place), place, hash);
        }
    }

    fn clear(&mut self) {
        self.all.clear();
        self.places.clear();
    }
}

impl<V> Default for ByteMap<V> {
    fn default() -> Self {
        Self::with_hasher(FixedState::default())
    }
}

impl<V> ByteMap<V> {
    /// With a hasher that nobody knows, for keys from requests.
    pub fn with_hasher(hasher: FixedState) -> Self {
        Self { keys: Keys { hasher, ..Keys::default() }, values: Vec::new() }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Forgets all.
    fn clear(&mut self) {
        self.keys.clear();
        self.values.clear();
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The value of `key`.
    pub fn get(&self, key: &[u8]) -> Option<&V> {
        self.values.get(self.keys.place(key)?)
    }

    /// Whether there is a value of `key`.
    pub fn contains(&self, key: &[u8]) -> bool {
        self.keys.place(key).is_some()
    }

    /// Every value, in the order in which they came.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.values.iter()
    }

    /// Where the value of `key` is among all, made by `make` if it has none yet.
    pub fn place(&mut self, key: Box<[u8]>, make: impl FnOnce() -> V) -> usize {
        self.keys.place(&key).unwrap_or_else(|| {
            self.keys.push(key);
            self.values.push(make());
            self.values.len().saturating_sub(1)
        })
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
        match self.keys.place(&key).and_then(|place| self.values.get_mut(place)) {
            Some(known) => *known = value,
            None => self.insert(key, value),
        }
    }

    /// Gives `key` this value. Should that make more than `most`, all are forgotten first: those that are still there will be back.
    pub fn remember(&mut self, key: Box<[u8]>, value: V, most: usize) {
        if self.len() >= most && !self.contains(&key) {
            self.clear();
        }
        self.replace(key, value);
    }

    /// Gives `key` this value, unless it has one.
    pub fn insert(&mut self, key: Box<[u8]>, value: V) {
        self.place(key, || value);
    }

    /// The keys in order, and the value of each.
    pub fn into_sorted(mut self) -> (Vec<Box<[u8]>>, Vec<V>) {
        let (keys, places) = sorted(self.keys.all);
        ordered::arrange(&mut self.values, &places);
        (keys, self.values)
    }

    /// The values in the order of their keys.
    pub fn into_values(self) -> Vec<V> {
        self.into_sorted().1
    }
}

fn at(keys: &[Box<[u8]>], place: u32) -> Option<&[u8]> {
    keys.get(usize::try_from(place).ok()?).map(|key| &**key)
}

/// The keys in order, and where each was.
#[inline(never)]
fn sorted(keys: Vec<Box<[u8]>>) -> (Vec<Box<[u8]>>, Vec<usize>) {
    let mut sorted: Vec<_> = keys.into_iter().enumerate().map(|(place, key)| (key, place)).collect();
    ordered::sort(&mut sorted);
    sorted.into_iter().unzip()
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn a_few_and_many() {
        let key = |number: usize| -> Box<[u8]> { number.to_string().into_bytes().into() };
        let mut map = ByteMap::default();
        for count in 0..3 * FEW {
            assert_eq!((map.len(), map.contains(&key(count))), (count, false));
            map.insert(key(count), count);
            map.insert(key(count), 100);
            for number in 0..=count {
                assert_eq!(map.get(&key(number)), Some(&number));
            }
        }
        map.clear();
        map.insert(key(1), 7);
        assert_eq!((map.get(&key(1)), map.get(&key(2))), (Some(&7), None));
    }

    #[test]
    fn what_is_one_too_many_takes_the_place_of_all() {
        let mut map = ByteMap::default();
        for (key, value) in [("a", 1), ("b", 2), ("a", 3)] {
            map.remember(key.as_bytes().into(), value, 2);
        }
        assert_eq!((map.get(b"a"), map.get(b"b")), (Some(&3), Some(&2)));
        map.remember(b"c"[..].into(), 4, 2);
        assert_eq!((map.len(), map.get(b"c")), (1, Some(&4)));
    }

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
