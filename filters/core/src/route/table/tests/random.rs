//! Random VirtualServices and requests made of their own values: what the compiled table finds must be what a reading of
//! the resources in order finds. The reading shares no code with the table but the views of a request.

mod generate;
mod reading;

use outrigger_api::types::common::StringMatch;

use super::super::super::testing::*;
use super::*;
use generate::{regex_source, request, resources};
use reading::read;

/// The port of the Gateway's server.
const PORT: u16 = 80;
const HOSTS: [&str; 6] = ["a.com", "b.a.com", "*.a.com", "*.com", "*", "c.org"];
const PATHS: [&str; 9] = ["/", "", "/a", "/a/", "/ab", "/a/b", "/B", "/a/b/c", "/b"];
const VALUES: [&str; 6] = ["x", "y", "xy", "", "X", "x,y"];
const REGEXES: [&str; 7] = ["/a.*", ".*", "/[ab]+", "/(a|b)/?.*", ".+", "x*", "[^x]*"];
const NAMES: [&str; 4] = ["h1", "h2", ":path", "host"];
/// So many requests meet each set of resources.
const REQUESTS: u64 = 50;

/// SplitMix64.
struct Rng(u64);

impl Rng {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn text(&mut self, pool: &[&str]) -> String {
        pool[self.below(pool.len())].to_owned()
    }
}

/// Regexes as the judge runs them.
struct Regexes(Vec<(&'static str, regex::bytes::Regex)>);

impl Regexes {
    fn new() -> Self {
        let compiled = |source: &'static str| {
            (source, regex::bytes::Regex::new(&format!(r"\A(?-u:{source})\z")).unwrap())
        };
        Self(REGEXES.into_iter().map(compiled).collect())
    }

    fn matches(&self, spec: &StringMatch, value: &[u8], fold: bool) -> bool {
        let lower = |text: &[u8]| if fold { text.to_ascii_lowercase() } else { text.to_vec() };
        match spec {
            StringMatch::Present => true,
            StringMatch::Exact(text) => lower(text.as_bytes()) == lower(value),
            StringMatch::Prefix(text) => lower(value).starts_with(&lower(text.as_bytes())),
            StringMatch::Regex(source) => {
                self.0.iter().find(|(known, _)| *known == source.as_str()).unwrap().1.is_match(value)
            }
        }
    }
}

/// `OUTRIGGER_CASES=N` compares N requests in place of 5,000, and `OUTRIGGER_SEED` chooses others.
#[test]
fn random_virtual_services_route_as_they_read() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let cases = number("OUTRIGGER_CASES").unwrap_or(5_000);
    let mut rng = Rng(number("OUTRIGGER_SEED").unwrap_or(0x0072_1662));
    let regexes = Regexes::new();
    let sources = REGEXES.map(|source| (source, regex_source(source)));
    let regex = |source: &str| sources.iter().find(|(known, _)| *known == source).unwrap().1.clone();
    let mut routed = 0;
    for _ in 0..cases.div_ceil(REQUESTS) {
        let mut resources = resources(&mut rng, &regex);
        let table = table(&resources, &ingress());
        for _ in 0..REQUESTS {
            let owned = request(&mut resources, &mut rng);
            let lines: Vec<HeaderLine<'_>> =
                owned.iter().map(|(name, value)| (&name[..], &value[..])).collect();
            let request = Request::new(&lines, &Connection::UNKNOWN);
            let found = table.find(&request).map(|route| {
                let Route::Rule { rule, entry, .. } = route else { panic!("{route:?}") };
                (format!("{}/{}", rule.reference.resource, rule.reference.rule), entry.match_index)
            });
            let expected = read(&resources, &request, &regexes);
            routed += usize::from(found.is_some());
            assert_eq!(found, expected, "{owned:?}\n{resources:#?}");
        }
    }
    assert!(routed as u64 > cases / 4, "{routed} of {cases}");
}
