//! "Did you mean": what a field or value that does not exist was probably meant to be.

/// Where fields belong which are often written one level too high or too low: name, place.
const HOMES: [(&str, &str); 35] = [
    ("attempts", "under `retries`"),
    ("perTryTimeout", "under `retries`"),
    ("retryOn", "under `retries`"),
    ("fixedDelay", "under `fault.delay`"),
    ("httpStatus", "under `fault.abort`"),
    ("delay", "under `fault`"),
    ("abort", "under `fault`"),
    ("subset", "under `destination`"),
    ("host", "under `destination`"),
    ("destination", "in an entry of `route`"),
    ("weight", "in an entry of `route`, beside `destination`"),
    ("exact", "under the field to match, such as `uri`"),
    ("prefix", "under the field to match, such as `uri`"),
    ("regex", "under the field to match, such as `uri`"),
    ("uri", "in an entry of `match`, or under `rewrite` or `redirect`"),
    ("withoutHeaders", "in an entry of `match`"),
    ("queryParams", "in an entry of `match`"),
    ("hosts", "directly under `spec`, or in a Gateway's `servers`, or in a policy's `operation`"),
    ("gateways", "directly under `spec`, or in an entry of `match`"),
    ("exportTo", "directly under `spec`"),
    ("timeout", "in an entry of `http`, beside `route`"),
    ("retries", "in an entry of `http`, beside `route`"),
    ("fault", "in an entry of `http`, beside `route`"),
    ("maxConnections", "under `connectionPool.tcp`"),
    ("http1MaxPendingRequests", "under `connectionPool.http`"),
    ("maxRequestsPerConnection", "under `connectionPool.http`"),
    ("connectionPool", "under `trafficPolicy`"),
    ("loadBalancer", "under `trafficPolicy`"),
    ("set", "under `headers.request` or `headers.response`"),
    ("add", "under `headers.request` or `headers.response`"),
    ("remove", "under `headers.request` or `headers.response`"),
    ("matchLabels", "under `selector`"),
    ("principals", "under `from[].source`"),
    ("methods", "under `to[].operation`"),
    ("paths", "under `to[].operation`"),
];

/// A hint for a field that does not exist among `known` ones.
pub(crate) fn field(name: &str, known: &[&'static str]) -> Option<String> {
    let meant = nearest_with_distance(name, known);
    // For people who write resources; a filter that gets one like that has less room.
    let home = if cfg!(feature = "yaml") { HOMES.iter().find(|(field, _)| *field == name) } else { None };
    match (meant, home) {
        (Some((distance, _)), Some((field, place))) if distance > 1 => {
            Some(format!("`{field}` belongs {place}"))
        }
        (Some((_, meant)), _) => Some(format!("did you mean `{meant}`?")),
        (None, Some((field, place))) => Some(format!("`{field}` belongs {place}")),
        (None, None) => None,
    }
}

/// The nearest of `known`, if one is near enough to be meant.
pub(crate) fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    nearest_with_distance(name, known).map(|(_, candidate)| candidate)
}

fn nearest_with_distance<'k>(name: &str, known: &[&'k str]) -> Option<(usize, &'k str)> {
    let name = plain(name);
    known
        .iter()
        .map(|candidate| (strsim::osa_distance(&name, &plain(candidate)), *candidate))
        .filter(|(distance, candidate)| {
            *distance <= allowed(candidate.len()) && *distance < name.chars().count()
        })
        .min_by_key(|(distance, _)| *distance)
}

/// A name as it sounds: case, `_` and `-` don't matter.
fn plain(name: &str) -> String {
    let letters = name.chars().filter(|letter| !matches!(letter, '_' | '-'));
    letters.take(64).map(|letter| letter.to_ascii_lowercase()).collect()
}

/// How many slips of the finger a word of this length forgives.
fn allowed(length: usize) -> usize {
    match length {
        0..=2 => 0,
        3..=5 => 1,
        6..=9 => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let known = ["match", "route", "timeout", "retries", "headers"];
        for (name, hint) in [
            ("timeOut", Some("did you mean `timeout`?")),
            ("time_out", Some("did you mean `timeout`?")),
            ("routes", Some("did you mean `route`?")),
            ("mtach", Some("did you mean `match`?")),
            ("x", None),
            ("", None),
            ("zzzzzzz", None),
        ] {
            assert_eq!(field(name, &known).as_deref(), hint, "{name}");
        }
    }

    #[cfg(feature = "yaml")]
    #[test]
    fn finds_where_a_field_belongs() {
        let known = ["match", "route", "timeout", "retries", "headers"];
        for (name, place) in [
            ("uri", "in an entry of `match`, or under `rewrite` or `redirect`"),
            ("attempts", "under `retries`"),
        ] {
            assert_eq!(field(name, &known), Some(format!("`{name}` belongs {place}")));
        }
    }

    #[test]
    fn one_slip_beats_another_place() {
        assert_eq!(field("host", &["hosts"]).as_deref(), Some("did you mean `hosts`?"));
    }
}
