//! No token makes the engine panic, and none passes that says anything else than one of the good ones.

#![no_main]

mod input;
#[path = "../../src/jwt/tests/mint.rs"]
#[allow(dead_code, reason = "the tests of the engine use all of it")]
mod mint;
mod seeds;

use std::cell::LazyCell;
use std::path::PathBuf;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use outrigger_api::Config;
use outrigger_api::resource::Resource;
use outrigger_core::jwt::{Means, Rules, RustCrypto};
use outrigger_core::{Connection, Now, PolicyEngine, PolicySet, Request};
use serde_json::{Value, json};

use input::Input;
use seeds::Seed;

/// How many places there are for a token.
const PLACES: u8 = 4;

/// 2026-01-01.
const NOW: Duration = Duration::from_secs(1_767_225_600);

thread_local! {
    static RULES: LazyCell<Rules> = LazyCell::new(rules);
    static SEEDS: LazyCell<Vec<Seed>> = LazyCell::new(|| {
        let seeds = seeds::all();
        for seed in &seeds {
            for place in 0..PLACES {
                assert!(RULES.with(|rules| accepted(rules, place, seed.token.as_bytes(), std::slice::from_ref(seed))), "{}", seed.token);
            }
        }
        seeds
    });
}

fuzz_target!(
    init: corpus(),
    |bytes: &[u8]| {
    if let Some(input) = Input::read(bytes) {
        SEEDS.with(|seeds| RULES.with(|rules| accepted(rules, input.place, &input.token, seeds)));
    }
});

/// Writes what the fuzzer begins with into the folder that `FUZZ_CORPUS` names, before it is read.
fn corpus() {
    let Some(folder) = std::env::var_os("FUZZ_CORPUS").map(PathBuf::from) else { return };
    let write = |name: String, bytes: Vec<u8>| {
        std::fs::write(folder.join(name), bytes).expect("the corpus can be written");
    };
    for (index, seed) in seeds::all().iter().enumerate() {
        for place in 0..PLACES {
            write(format!("text-{index}-{place}"), Input::of_text(place, &seed.token));
        }
        write(format!("parts-{index}"), Input::of_parts(0, &seeds::decoded(&seed.token)));
    }
}

/// Rules for every algorithm and place.
fn rules() -> Rules {
    let keys = include_str!("../../src/jwt/tests/keys/jwks-all.json");
    let spec = json!({"jwtRules": [{
        "issuer": "i", "jwks": keys,
        "fromHeaders": [{"name": "authorization", "prefix": "Bearer "}, {"name": "x-t"}],
        "fromParams": ["p"], "fromCookies": ["c"],
        "outputPayloadToHeader": "x-payload",
        "outputClaimToHeaders": [{"header": "x-n", "claim": "n"}, {"header": "x-sub", "claim": "sub"}],
    }]});
    let policy = json!({
        "apiVersion": "security.istio.io/v1", "kind": "RequestAuthentication", "metadata": {"name": "fuzz"}, "spec": spec,
    });
    let config = json!({"proxy": {"role": "gateway"}, "resources": [policy]}).to_string();
    let decoders = PolicyEngine::<{ PolicySet::JWT.bits() }>::decoders();
    let config = Config::read(config.as_bytes(), &decoders).expect("the rules can be read");
    let resources: &[Resource] = &config.resources;
    Rules::compile(resources, &config.proxy).expect("the rules can be carried out")
}

/// Whether a request with `token` at `place` is taken for an identity, which has to be that of one of `seeds`.
fn accepted(rules: &Rules, place: u8, token: &[u8], seeds: &[Seed]) -> bool {
    let with = |before: &[u8]| [before, token].concat();
    let line: (&[u8], Vec<u8>) = match place % PLACES {
        0 => (b"authorization", with(b"Bearer ")),
        1 => (b"x-t", token.to_vec()),
        2 => (b":path", with(b"/?p=")),
        _ => (b"cookie", with(b"c=")),
    };
    let headers =
        [(line.0, line.1.as_slice()), (b":method", b"GET"), (b":scheme", b"http"), (b":authority", b"a")];
    let request = Request::new(&headers, &Connection::UNKNOWN);
    let outcome = rules.verify(&request, Now(NOW), &Means::offline(&RustCrypto));
    let reply = outcome.reply(&request);
    assert_eq!(reply.is_some(), outcome.failure.is_some());
    let Some(identity) = &outcome.identity else { return false };
    assert!(outcome.failure.is_none());
    let says: Value = serde_json::from_slice(&identity.to_json()).expect("claims are JSON");
    assert!(
        seeds.iter().any(|seed| says.as_object() == Some(&seed.claims)),
        "a token passes that nobody has signed: {}",
        token.escape_ascii()
    );
    if place % PLACES < 2 {
        // The signature is of the text.
        let text = |token: &[u8]| {
            token
                .split(|byte| *byte == b'.')
                .filter(|part| !part.is_empty())
                .take(2)
                .collect::<Vec<_>>()
                .join(&b'.')
        };
        assert!(
            seeds.iter().any(|seed| text(seed.token.as_bytes()) == text(token)),
            "{}",
            token.escape_ascii()
        );
    }
    true
}
