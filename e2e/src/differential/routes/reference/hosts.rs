//! Which hosts a VirtualService has on a server.

use serde_json::Value;

use super::fields::items;

/// `name` as `namespace/name`.
pub(super) fn qualified(name: &str, namespace: &str) -> String {
    if name.contains('/') { name.to_owned() } else { format!("{namespace}/{name}") }
}

/// The narrower of each two hosts that meet, in lower case.
pub(super) fn attached(server: &Value, service: &Value, namespace: &str) -> Vec<String> {
    let mut attached: Vec<String> = Vec::new();
    for of_server in items(server, "hosts").iter().filter_map(Value::as_str) {
        let (scope, of_server) = of_server.split_once('/').unwrap_or(("*", of_server));
        if scope != "*" && scope != namespace {
            continue;
        }
        for of_service in items(&service["spec"], "hosts").iter().filter_map(Value::as_str) {
            let (one, other) = (of_server.to_ascii_lowercase(), of_service.to_ascii_lowercase());
            let narrower = if within(&one, &other) {
                one
            } else if within(&other, &one) {
                other
            } else {
                continue;
            };
            if !attached.contains(&narrower) {
                attached.push(narrower);
            }
        }
    }
    attached
}

/// Whether every name of `inner` is one of `outer`.
fn within(inner: &str, outer: &str) -> bool {
    match outer.strip_prefix('*') {
        None => inner == outer,
        // `*.a.b` is not within `*.a.b.c`, and `a.b` is not within `*.a.b`.
        Some(suffix) => {
            let name = inner.strip_prefix('*').unwrap_or(inner);
            name.ends_with(suffix) && (inner.starts_with('*') || name.len() > suffix.len())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_contain_longer_names() {
        for (inner, outer, expected) in [
            ("a.b", "a.b", true),
            ("x.a.b", "*.a.b", true),
            ("a.b", "*.a.b", false),
            ("*.x.a.b", "*.a.b", true),
            ("*.a.b", "*.a.b", true),
            ("*.a.b", "*.x.a.b", false),
            ("a.b", "*", true),
        ] {
            assert_eq!(within(inner, outer), expected, "{inner} in {outer}");
        }
    }
}
