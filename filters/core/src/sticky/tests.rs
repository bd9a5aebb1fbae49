#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::*;
use crate::Connection;
use crate::request::HeaderLine;

#[test]
fn hashes_never_change() {
    for (purpose, resource, value, hash) in VECTORS {
        assert_eq!(Seed::new(purpose, resource).hash(value.as_bytes()), hash, "{purpose} {resource} {value}");
    }
}

/// Computed by another implementation of the same description.
const VECTORS: [(&str, &str, &str, u64); 5] = [
    ("", "", "", 0x7bc2_1004_6bd6_16cc),
    ("weights", "default/shop", "jason", 0xcf5d_0fbd_5613_944a),
    ("weights", "default/shop", "Jason", 0x5abc_b020_cab8_40dc),
    ("delay", "default/shop", "jason", 0x49a6_2552_ee55_d62d),
    ("abort", "default/shop", "10.0.0.1", 0xef9a_e088_a488_4f30),
];

#[test]
fn points_are_uniform_and_independent() {
    let (one, other) = (Seed::new("delay", "a/b"), Seed::new("abort", "a/b"));
    let mut counts = [0u32; 16];
    for caller in 0..160_000u32 {
        let value = format!("user-{caller}");
        let quarter = |seed: Seed| seed.point(value.as_bytes()) as usize / 250_000;
        counts[quarter(one) * 4 + quarter(other)] += 1;
    }
    // Ten thousand each; a standard deviation is 97.
    assert!(counts.iter().all(|count| (9_500..10_500).contains(count)), "{counts:?}");
}

fn key_of(keys: &[StickyKey], lines: &[HeaderLine<'_>], claims: serde_json::Value) -> Option<String> {
    let connection =
        Connection { remote_ip: Some("::ffff:10.0.0.1".parse().unwrap()), ..Connection::UNKNOWN };
    let identity = Identity::from(claims.as_object().cloned().unwrap_or_default());
    let request = Request::new(lines, &connection).with_identity(Some(&identity));
    let keys = Keys::new(keys, "ns/a", "weights").unwrap();
    let (key, value) = keys.find(&request)?;
    Some(match value {
        Some(value) => format!("{key} = {}", value.escape_ascii()),
        None => format!("{key} is to be given"),
    })
}

#[test]
fn the_first_key_that_a_request_has_counts() {
    let header = StickyKey::Header("x-user".into());
    let cookie = |ttl: Option<u64>| StickyKey::Cookie { name: "s".into(), ttl: ttl.map(Duration::from_secs) };
    let claim = |path: &[&str]| StickyKey::Claim(path.iter().map(|part| (*part).to_owned()).collect());
    let address = StickyKey::SourceAddress;
    let user: HeaderLine<'_> = (b"x-user", b"\xffann");
    for (keys, lines, claims, found) in [
        (vec![header.clone()], vec![user], json!({}), Some("header:x-user = \\xffann")),
        (vec![header.clone()], vec![(&b"x-user"[..], &b""[..])], json!({}), None),
        (vec![header.clone(), address], vec![], json!({}), Some("source-address = 10.0.0.1")),
        (vec![cookie(None)], vec![(b"cookie", b"ss=1; s=2; s=3")], json!({}), Some("cookie:s = 2")),
        (
            vec![cookie(None)],
            vec![(b"cookie", b"a=1"), (b"cookie", b" s=\"q\" ")],
            json!({}),
            Some("cookie:s = q"),
        ),
        (vec![cookie(None), header.clone()], vec![user], json!({}), Some("header:x-user = \\xffann")),
        (
            vec![cookie(Some(60))],
            vec![(b"cookie", b"s=")],
            json!({}),
            Some("cookie:s;ttl=60s is to be given"),
        ),
        (vec![claim(&["sub"])], vec![], json!({"sub": "ann"}), Some("claim:[sub] = ann")),
        (vec![claim(&["a", "b"])], vec![], json!({"a": {"b": 7}}), Some("claim:[a][b] = 7")),
        (vec![claim(&["a", "b"])], vec![], json!({"a": {"b": [7]}}), None),
        (vec![claim(&["a", "b"])], vec![], json!({"a": "b"}), None),
        (vec![claim(&["sub"]), header], vec![user], json!({}), Some("header:x-user = \\xffann")),
    ] {
        assert_eq!(key_of(&keys, &lines, claims).as_deref(), found, "{keys:?}");
    }
}

const CALLERS: u32 = 40_000;

/// Who is where with these weights.
fn placed(weights: &[(&'static str, u32)]) -> Vec<&'static str> {
    let sides = Sides::new(weights.iter().copied());
    let seed = Seed::new("weights", "default/shop");
    let caller = |n: u32| weights[sides.pick(seed.hash(format!("user-{n}").as_bytes())).unwrap()].0;
    (0..CALLERS).map(caller).collect()
}

/// How many changed from which side to which.
fn moved(before: &[&'static str], after: &[&'static str]) -> BTreeMap<(&'static str, &'static str), u32> {
    let mut moved = BTreeMap::new();
    for (from, to) in before.iter().zip(after).filter(|(from, to)| from != to) {
        *moved.entry((*from, *to)).or_default() += 1;
    }
    moved
}

/// Within four standard deviations of a share of all callers.
fn near(count: u32, share: f64) -> bool {
    let all = f64::from(CALLERS);
    (f64::from(count) - share * all).abs() <= 4.0 * (all * share * (1.0 - share)).sqrt() + 1e-9
}

#[test]
fn shares_are_as_the_weights_say_in_any_order() {
    let weights = [("a", 60), ("b", 30), ("c", 9), ("d", 1)];
    let placed_so = placed(&weights);
    for (name, weight) in weights {
        let count = placed_so.iter().filter(|side| **side == name).count() as u32;
        assert!(near(count, f64::from(weight) / 100.0), "{name}: {count}");
    }
    let mut reversed = weights;
    reversed.reverse();
    assert_eq!(placed(&reversed), placed_so);
    assert_eq!(placed(&weights.map(|(name, weight)| (name, weight * 7))), placed_so);
}

#[test]
fn of_two_sides_only_the_moved_share_changes() {
    let mut before = placed(&[("a", 100)]);
    let mut last = 0;
    for percent in [1, 5, 6, 25, 50, 99] {
        let after = placed(&[("a", 100 - percent), ("b", percent)]);
        let moved = moved(&before, &after);
        assert!(moved.keys().all(|step| *step == ("a", "b")), "{moved:?}");
        assert!(near(moved.values().sum(), f64::from(percent - last) / 100.0), "{percent}: {moved:?}");
        (before, last) = (after, percent);
    }
}

#[test]
fn one_side_of_several_gains_from_all_and_nobody_else_moves() {
    let moved = moved(&placed(&[("a", 60), ("b", 40)]), &placed(&[("a", 60), ("b", 40), ("c", 25)]));
    assert!(moved.keys().all(|(_, to)| *to == "c"), "{moved:?}");
    assert!(near(moved[&("a", "c")], 0.6 * 0.2) && near(moved[&("b", "c")], 0.4 * 0.2), "{moved:?}");
}

#[test]
fn weight_from_one_of_several_to_another_moves_few_others() {
    // A tenth goes from a to c; b, with 30 %, passes some through.
    let moved =
        moved(&placed(&[("a", 60), ("b", 30), ("c", 10)]), &placed(&[("a", 50), ("b", 30), ("c", 20)]));
    for ((from, to), count) in &moved {
        assert!(*from == "a" || *to == "c", "{from} to {to}: {count}");
    }
    let of = |step| moved.get(&step).copied().unwrap_or_default();
    let (straight, into, out) = (of(("a", "c")), of(("a", "b")), of(("b", "c")));
    assert!(near(straight + into, 0.1) || straight + into > 0, "{moved:?}");
    let total = f64::from(straight + into + out) / f64::from(CALLERS);
    assert!((0.1..0.1 * 1.3 + 0.01).contains(&total), "{total} {moved:?}");
}

#[cfg(not(target_arch = "wasm32"))]
mod properties {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever one side's weight becomes, callers only come to it or only leave it.
        #[test]
        fn a_weight_moves_only_its_own_callers(
            weights in prop::collection::vec(1u32..1000, 2..6),
            place in any::<prop::sample::Index>(),
            weight in 1u32..1000,
            callers in prop::collection::vec(any::<u64>(), 200),
        ) {
            const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
            let place = place.index(weights.len());
            let sides = |weights: &[u32]| Sides::new(NAMES.into_iter().zip(weights.iter().copied()));
            let mut changed = weights.clone();
            changed[place] = weight;
            let (before, after) = (sides(&weights), sides(&changed));
            for caller in callers {
                let (from, to) = (before.pick(caller).unwrap(), after.pick(caller).unwrap());
                let only = if weight >= weights[place] { to == place } else { from == place };
                prop_assert!(from == to || only, "{from} to {to}");
            }
        }
    }
}
