//! Istio's values as Envoy's string matchers (`pilot/pkg/security/authz/matcher`).

use serde_json::{Value, json};

/// Scheme of a SPIFFE ID.
pub(super) const SPIFFE: &str = "spiffe://";

/// `envoy.type.matcher.v3.StringMatcher` of a value, with `prefix` in front of what it matches.
pub(super) fn string(value: &str, prefix: &str) -> Value {
    if value == "*" {
        regex(".+")
    } else if let Some(suffix) = value.strip_prefix('*') {
        // A suffix matcher could not ask for the prefix too.
        if prefix.is_empty() {
            json!({"suffix": suffix})
        } else {
            regex(&format!("{prefix}.*{}", quoted(suffix)))
        }
    } else if let Some(start) = value.strip_suffix('*') {
        json!({"prefix": format!("{prefix}{start}")})
    } else {
        json!({"exact": format!("{prefix}{value}")})
    }
}

/// `envoy.config.route.v3.HeaderMatcher` of a value, with a name of any case.
pub(super) fn header(name: &str, value: &str, ignore_case: bool) -> Value {
    if value == "*" {
        return json!({"name": name, "present_match": true});
    }
    let mut matcher = string(value, "");
    if ignore_case {
        matcher["ignore_case"] = true.into();
    }
    json!({"name": name, "string_match": matcher})
}

/// A matcher of everything that a regular expression matches as a whole.
pub(super) fn regex(regex: &str) -> Value {
    json!({"safe_regex": {"regex": regex}})
}

/// `text` as a regular expression, with the same characters escaped as by Go's `regexp.QuoteMeta`.
pub(super) fn quoted(text: &str) -> String {
    let escape =
        |letter: char| if r"\.+*?()|[]{}^$".contains(letter) { vec!['\\', letter] } else { vec![letter] };
    text.chars().flat_map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_value() {
        for (value, plain, with_prefix) in [
            ("*", regex(".+"), regex(".+")),
            ("a", json!({"exact": "a"}), json!({"exact": "p:a"})),
            ("a*", json!({"prefix": "a"}), json!({"prefix": "p:a"})),
            ("*a.b", json!({"suffix": "a.b"}), regex(r"p:.*a\.b")),
            ("*a*", json!({"suffix": "a*"}), regex(r"p:.*a\*")),
            ("a*b", json!({"exact": "a*b"}), json!({"exact": "p:a*b"})),
        ] {
            assert_eq!(string(value, ""), plain, "{value}");
            assert_eq!(string(value, "p:"), with_prefix, "{value}");
        }
    }

    #[test]
    fn a_star_asks_only_for_the_header_to_be_there() {
        assert_eq!(header("x", "*", false), json!({"name": "x", "present_match": true}));
        assert_eq!(
            header(":authority", "A*", true),
            json!({"name": ":authority", "string_match": {"prefix": "A", "ignore_case": true}})
        );
    }
}
