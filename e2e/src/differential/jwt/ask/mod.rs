//! Random requests with tokens, for a rule and its places or nearly so.

mod claims;
mod damage;
mod oddities;
mod places;
mod token;

use serde_json::Value;

use self::places::Lines;
use super::super::configuration::Configuration;
use super::super::random::Random;
use super::super::request::Request;
use super::super::wire::Wire;
use super::super::{fields, random};
use super::{key_sets, keys, words};

/// A request that some rule of `configuration` takes, or that it just misses.
pub(super) fn request(random: &mut Random, configuration: &Configuration) -> Request {
    let rules: Vec<&Value> = configuration
        .kind("RequestAuthentication")
        .flat_map(|policy| fields::items(&policy["spec"], "jwtRules"))
        .collect();
    let mut lines = Lines::new(random);
    let mut last: Option<Vec<u8>> = None;
    for _ in 0..*random.one(&[0, 1, 1, 1, 1, 1, 1, 2, 2, 3]) {
        let rule = rules[random.below(rules.len())];
        let token = match &last {
            // The same in two places.
            Some(token) if random.chance(30) => token.clone(),
            _ => token::token(random, &rules, rule),
        };
        lines.put(random, &rules, rule, &token);
        last = Some(token);
    }
    forge(random, &rules, &mut lines);
    let mut method = random.pick(&["GET", "GET", "GET", "POST", "OPTIONS"]).to_owned();
    if random.chance(4) {
        preflight(random, &mut lines, &mut method);
    }
    if random.chance(2) {
        lines.headers.push(("content-type".to_owned(), b"application/grpc".to_vec()));
    }
    let host = random.pick(&["shop.test", "shop.test:8443", "SHOP.test", "[::1]"]);
    Request {
        port: 80,
        method,
        target: lines.target(),
        host: host.into(),
        headers: lines.into_headers(),
        wire: Wire::default(),
    }
}

/// Headers that only rules may write, sent by the client.
fn forge(random: &mut Random, rules: &[&Value], lines: &mut Lines) {
    for rule in rules {
        let payload = rule.get("outputPayloadToHeader").and_then(Value::as_str);
        let claims =
            fields::items(rule, "outputClaimToHeaders").iter().map(|claim| fields::text(claim, "header"));
        for name in payload.into_iter().chain(claims) {
            if random.chance(12) {
                let name = if random.chance(50) { name.to_ascii_uppercase() } else { name.to_owned() };
                lines.headers.push((name, b"forged".to_vec()));
            }
        }
    }
}

fn preflight(random: &mut Random, lines: &mut Lines, method: &mut String) {
    if random.chance(85) {
        *method = "OPTIONS".to_owned();
    }
    if random.chance(90) {
        lines.headers.push(("Origin".to_owned(), random.pick(&["https://a.test", "null", ""]).into()));
    }
    if random.chance(90) {
        let method = random.pick(&["GET", "PUT", ""]);
        lines.headers.push(("access-control-request-method".to_owned(), method.into()));
    }
}

#[cfg(test)]
mod tests {
    use super::super::generate::configuration;
    use super::*;

    #[test]
    fn requests_are_well_formed() {
        for index in 0..300 {
            let configuration = configuration(3, index);
            let request = request(&mut Random::new(9, index as u64), &configuration);
            let bytes = request.to_bytes();
            let lines: Vec<_> = bytes.split(|byte| *byte == b'\n').collect();
            assert!(lines.iter().rev().skip(1).all(|line| line.ends_with(b"\r")));
            assert_eq!(
                lines[0].iter().filter(|byte| **byte == b' ').count(),
                2,
                "{}",
                lines[0].escape_ascii()
            );
        }
    }
}
