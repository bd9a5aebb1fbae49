//! Sorting and ordered collections, where code size counts more than speed: when a configuration is compiled.
//!
//! The standard library's sort is compiled anew for each type and comparison, at 3 to 9 kB of WebAssembly; collecting
//! into a `BTreeMap` sorts too. Here one sort serves all, by moving places instead of elements.

use std::{cmp::Ordering, collections::BTreeMap};

/// Sorts `items`; equal ones keep their order.
pub fn sort_by<T>(items: &mut [T], compare: impl Fn(&T, &T) -> Ordering) {
    let places = places(items.len(), &|one, other| match (items.get(one), items.get(other)) {
        (Some(one), Some(other)) => compare(one, other),
        _ => Ordering::Equal,
    });
    arrange(items, &places);
}

/// Sorts `items` by their own order.
pub fn sort<T: Ord>(items: &mut [T]) {
    sort_by(items, T::cmp);
}

/// `entries` by key; the last of several with the same key counts.
pub fn map<K: Ord, V>(entries: impl IntoIterator<Item = (K, V)>) -> BTreeMap<K, V> {
    let mut map = BTreeMap::new();
    map.extend(entries);
    map
}

/// `items` sorted, each once.
pub fn distinct<T: Ord>(mut items: Vec<T>) -> Vec<T> {
    sort(&mut items);
    items.dedup();
    items
}

/// Where `names` repeat an earlier one, in order; without comparing each with each, since hostile lists are long.
pub fn repeated(names: &[&str]) -> Vec<usize> {
    let places = places(names.len(), &|one, other| names.get(one).cmp(&names.get(other)));
    let mut last = None;
    let mut found = Vec::new();
    for place in places {
        let name = names.get(place);
        if last == name {
            found.push(place);
        }
        last = name;
    }
    sort(&mut found);
    found
}

/// Brings each of `items` to where its place stands in `places`, which has each once.
pub fn arrange<T>(items: &mut [T], places: &[usize]) {
    for (one, other) in swaps_to(places) {
        items.swap(one, other);
    }
}

/// What has to be swapped for that, one after the other.
#[inline(never)]
fn swaps_to(places: &[usize]) -> Vec<(usize, usize)> {
    // Where each element is to go.
    let mut goes = vec![0; places.len()];
    for (to, from) in places.iter().enumerate() {
        if let Some(goes) = goes.get_mut(*from) {
            *goes = to;
        }
    }
    let mut swaps = Vec::new();
    for at in 0..places.len() {
        while let Some(to) = goes.get(at).copied().filter(|to| *to != at) {
            swaps.push((at, to));
            goes.swap(at, to);
        }
    }
    swaps
}

/// The places of so many elements, in the order of these.
#[inline(never)]
fn places(length: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut places: Vec<usize> = (0..length).collect();
    places.sort_by(|one, other| compare(*one, *other));
    places
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn sorts_as_the_standard_library_does() {
        for length in [0, 1, 2, 3, 100, 1000_u32] {
            let mut items: Vec<_> = (0..length).map(|at| (at * 7919 % 31, at.to_string())).collect();
            let mut expected = items.clone();
            expected.sort_by_key(|(key, _)| *key);
            sort_by(&mut items, |(one, _), (other, _)| one.cmp(other));
            assert_eq!(items, expected);
            expected.sort();
            sort(&mut items);
            assert_eq!(items, expected);
        }
    }

    #[test]
    fn repeated_names() {
        for (names, expected) in [
            (&[][..], vec![]),
            (&["a"], vec![]),
            (&["b", "a", "b", "c", "a", "b"], vec![2, 4, 5]),
            (&["", ""], vec![1]),
        ] {
            assert_eq!(repeated(names), expected, "{names:?}");
        }
    }

    #[test]
    fn collects_as_the_standard_library_does() {
        let entries = [(2, "b"), (1, "a"), (2, "c")];
        assert_eq!(map(entries), entries.into_iter().collect());
        assert_eq!(distinct(vec![2, 1, 2]), [1, 2]);
    }
}
