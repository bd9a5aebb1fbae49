//! Rules whose keys are fetched.

use std::cell::RefCell;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

/// Answers as told, and writes down what it was asked.
struct Told {
    first: Found,
    newer: Found,
    asked: RefCell<Vec<&'static str>>,
}

impl KeyStore for Told {
    fn find(&self, _: usize) -> Found {
        self.asked.borrow_mut().push("find");
        self.first.clone()
    }

    fn find_newer(&self, _: usize) -> Found {
        self.asked.borrow_mut().push("newer");
        self.newer.clone()
    }
}

fn keys(text: &str, version: u64) -> Found {
    Found::Keys(Rc::new(KeySet::parse(text).unwrap().0), version)
}

/// The set with another `kid` for each key.
fn renamed() -> String {
    JWKS.replace("\"kid\": \"", "\"kid\": \"old-").replace("\"kid\":\"", "\"kid\":\"old-")
}

fn fetched(issuer: &str) -> JwtRule {
    JwtRule { keys: KeySource::Uri("https://idp.example/keys".to_owned()), ..rule(issuer) }
}

/// The failure, whether the request has to wait, and what was asked of the store.
fn ask(
    rules: &Rules,
    cache: Option<&Cache>,
    token: &str,
    (first, newer): (Found, Found),
) -> (Option<Failure>, bool, Vec<&'static str>) {
    let store = Told { first, newer, asked: RefCell::default() };
    let value = format!("Bearer {token}");
    let headers: [(&[u8], &[u8]); 2] = [(b":path", b"/"), (b"authorization", value.as_bytes())];
    let means = Means { verifier: &RustCrypto, keys: &store, cache };
    let request = Request::new(&headers, &Connection::UNKNOWN);
    let outcome = rules.verify(&request, Now(Duration::from_secs(NOW)), &means);
    assert!(outcome.failure.is_none() || outcome.waits.is_none());
    (outcome.failure, outcome.waits.is_some(), store.asked.take())
}

#[test]
fn keys_are_asked_for_once_all_else_is_right() {
    let rules = rules(vec![fetched("i")]);
    let good = mint::token_of("i");
    let mismatch = Some(Failure::JwksKidAlgMismatch);
    for (token, first, newer, expected) in [
        (good.as_str(), keys(JWKS, 1), Found::Failed, (None, false, vec!["find"])),
        (&good, Found::Wait, Found::Failed, (None, true, vec!["find"])),
        (&good, Found::Failed, Found::Failed, (Some(Failure::JwksFetchFail), false, vec!["find"])),
        (&good, keys(&renamed(), 1), Found::Failed, (mismatch.clone(), false, vec!["find", "newer"])),
        (&good, keys(&renamed(), 1), Found::Wait, (None, true, vec!["find", "newer"])),
        (&good, keys(&renamed(), 1), keys(JWKS, 2), (None, false, vec!["find", "newer"])),
        (&good, keys(&renamed(), 1), keys(&renamed(), 2), (mismatch, false, vec!["find", "newer"])),
        (&mint::token_of("j"), Found::Wait, Found::Wait, (Some(Failure::JwtUnknownIssuer), false, vec![])),
        ("a.b", Found::Wait, Found::Wait, (Some(Failure::JwtBadFormat), false, vec![])),
    ] {
        assert_eq!(ask(&rules, None, token, (first, newer)), expected);
    }
}

#[test]
fn who_waits_does_so_for_the_rules_timeout_and_only_if_no_other_rule_takes_the_token() {
    let timeout = Some(Duration::from_millis(700));
    let rules = rules(vec![JwtRule { timeout, ..fetched("i") }, rule("i")]);
    assert!(!ask(&rules, None, &mint::token_of("i"), (Found::Wait, Found::Wait)).1);
    let rules = super::rules(vec![JwtRule { timeout, ..fetched("i") }, rule("j")]);
    let headers = [(&b"authorization"[..], format!("Bearer {}", mint::token_of("i")))];
    let lines = headers.each_ref().map(|(name, value)| (*name, value.as_bytes()));
    let store = Told { first: Found::Wait, newer: Found::Wait, asked: RefCell::default() };
    let means = Means { verifier: &RustCrypto, keys: &store, cache: None };
    let request = Request::new(&lines, &Connection::UNKNOWN);
    assert_eq!(rules.verify(&request, Now(Duration::from_secs(NOW)), &means).waits, timeout);
}

#[test]
fn a_cached_outcome_ends_with_its_keys() {
    let rules = rules(vec![fetched("i")]);
    let cache = Cache::new(1);
    let ask = |first, newer| ask(&rules, Some(&cache), &mint::token_of("i"), (first, newer)).0;
    for _ in 0..2 {
        assert_eq!(ask(keys(JWKS, 1), Found::Failed), None);
    }
    // Only the version is looked at: the same as before is not verified anew.
    assert_eq!(ask(keys(&renamed(), 1), Found::Failed), None);
    assert_eq!(ask(keys(&renamed(), 2), Found::Failed), Some(Failure::JwksKidAlgMismatch));
    // That it has failed is not held against a token whose key may come.
    assert_eq!(ask(keys(&renamed(), 2), keys(JWKS, 3)), None);
    assert_eq!(ask(Found::Failed, Found::Failed), Some(Failure::JwksFetchFail));
}

#[test]
fn nobody_outlives_the_token_in_the_cache() {
    let rules = rules(vec![rule("i")]);
    let cache = Cache::new(1);
    let token = mint::token(&serde_json::json!({"iss": "i", "exp": NOW}));
    let value = format!("Bearer {token}");
    let headers: [(&[u8], &[u8]); 2] = [(b":path", b"/"), (b"authorization", value.as_bytes())];
    let means = Means { cache: Some(&cache), ..Means::offline(&RustCrypto) };
    let request = Request::new(&headers, &Connection::UNKNOWN);
    for (after, failure) in [(0, None), (0, None), (60, None), (61, Some(Failure::JwtExpired)), (60, None)] {
        let outcome = rules.verify(&request, Now(Duration::from_secs(NOW + after)), &means);
        assert_eq!(outcome.failure, failure, "{after}");
    }
    assert_eq!(cache.take_counts(), Counts { hits: 3, misses: 2, evicted: 0 });
}

#[test]
fn rules_with_the_same_address_share_their_keys() {
    let other = JwtRule { keys: KeySource::Uri("https://idp.example/more".to_owned()), ..rule("k") };
    let discovered = JwtRule { keys: KeySource::Discovery, ..rule("https://idp.example") };
    let rules = rules(vec![fetched("i"), fetched("j"), other, discovered]);
    let uris: Vec<_> = rules.sources().iter().map(|source| source.uri().to_string()).collect();
    assert_eq!(
        uris,
        [
            "https://idp.example/keys",
            "https://idp.example/more",
            "https://idp.example/.well-known/openid-configuration"
        ]
    );
}
