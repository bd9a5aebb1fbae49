//! Conditions on the token that jwt_authn has verified, as principals: it leaves the payload in dynamic metadata.

use serde_json::{Value, json};

use super::logic::Half;
use super::text::{regex, string};

/// `request.auth.principal`: issuer and subject.
pub(super) fn principal(values: &[String]) -> Value {
    let each = values.iter().map(|value| {
        let (issuer, subject) = issuer_and_subject(value);
        Half::Principals.and(vec![
            claim(&["iss".to_owned()], json!({"string_match": issuer})),
            claim(&["sub".to_owned()], json!({"string_match": subject})),
        ])
    });
    Half::Principals.or(each.collect())
}

fn issuer_and_subject(value: &str) -> (Value, Value) {
    let any = || regex(".+");
    let parts = value.rsplit_once('/');
    let (issuer, subject) = parts.unwrap_or((value, ""));
    if value == "*" {
        (any(), any())
    } else if let Some(suffix) = value.strip_prefix('*') {
        match parts {
            Some(("*", subject)) => (any(), json!({"exact": subject})),
            Some((issuer, subject)) => (json!({"suffix": &issuer[1..]}), json!({"exact": subject})),
            None => (any(), json!({"suffix": suffix})),
        }
    } else if let Some(prefix) = value.strip_suffix('*') {
        match parts {
            Some((issuer, "*")) => (json!({"exact": issuer}), any()),
            Some((issuer, subject)) => {
                (json!({"exact": issuer}), json!({"prefix": subject.trim_end_matches('*')}))
            }
            None => (json!({"prefix": prefix}), any()),
        }
    } else {
        (json!({"exact": issuer}), json!({"exact": subject}))
    }
}

/// `request.auth.claims`, and the conditions that are about a claim by another name: a string, or one of a list.
pub(super) fn text_claim(path: &[String], values: &[String]) -> Value {
    let mut each: Vec<Value> =
        values.iter().map(|value| json!({"string_match": string(value, "")})).collect();
    let value = if each.len() == 1 { each.remove(0) } else { json!({"or_match": {"value_matchers": each}}) };
    let in_list = json!({"list_match": {"one_of": value}});
    claim(path, json!({"or_match": {"value_matchers": [in_list, value]}}))
}

fn claim(path: &[String], value: Value) -> Value {
    let path: Vec<_> = std::iter::once("payload")
        .chain(path.iter().map(String::as_str))
        .map(|key| json!({"key": key}))
        .collect();
    json!({"metadata": {"filter": "envoy.filters.http.jwt_authn", "path": path, "value": value}})
}

/// The names in `[a][b]`. What is not well-formed is one name.
pub(super) fn claim_path(brackets: &str) -> Vec<String> {
    let inner = brackets.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or_default();
    let parts: Vec<String> = inner.split("][").map(str::to_owned).collect();
    if parts.iter().any(|part| part.contains(['[', ']'])) { vec![inner.to_owned()] } else { parts }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuer_and_subject_are_parted_at_the_last_slash() {
        let exact = |text: &str| json!({"exact": text});
        let any = regex(".+");
        for (value, issuer, subject) in [
            ("https://idp/ann", exact("https://idp"), exact("ann")),
            ("idp", exact("idp"), exact("")),
            ("*", any.clone(), any.clone()),
            ("*/ann", any.clone(), exact("ann")),
            ("*.test/ann", json!({"suffix": ".test"}), exact("ann")),
            ("*nn", any.clone(), json!({"suffix": "nn"})),
            ("https://idp/*", exact("https://idp"), any.clone()),
            ("https://idp/a*", exact("https://idp"), json!({"prefix": "a"})),
            ("idp*", json!({"prefix": "idp"}), any.clone()),
            ("*/*", any, exact("*")),
        ] {
            assert_eq!(issuer_and_subject(value), (issuer, subject), "{value}");
        }
    }

    #[test]
    fn a_claim_is_reached_through_its_brackets() {
        assert_eq!(claim_path("[a]"), ["a"]);
        assert_eq!(claim_path("[a.b][c]"), ["a.b", "c"]);
        let metadata = text_claim(&["a".to_owned()], &["x*".to_owned()]);
        let or = &metadata["metadata"]["value"]["or_match"]["value_matchers"];
        assert_eq!(or[0]["list_match"]["one_of"]["string_match"], json!({"prefix": "x"}));
        assert_eq!(or[1]["string_match"], json!({"prefix": "x"}));
        assert_eq!(metadata["metadata"]["path"], json!([{"key": "payload"}, {"key": "a"}]));
    }
}
