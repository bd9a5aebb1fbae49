//! RE2 as Envoy runs it and the engine's reading of it must agree on every expression and every value.

use outrigger_e2e::regexes::compare;

/// `OUTRIGGER_REGEXES=N` compares N random expressions in place of 1,000, and `OUTRIGGER_SEED` chooses others.
#[test]
fn the_engine_matches_what_re2_in_envoy_matches() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let random = number("OUTRIGGER_REGEXES").and_then(|count| usize::try_from(count).ok()).unwrap_or(1000);
    let seed = number("OUTRIGGER_SEED").unwrap_or(0x5245_3250);
    let compared = compare(seed, random, 40).unwrap();
    eprintln!(
        "{} expressions, {} requests, {} matched",
        compared.expressions, compared.requests, compared.matched
    );
    assert_eq!(compared.differences, Vec::<String>::new());
    assert!(compared.matched > compared.requests / 10, "{compared:?}");
}
