//! SARIF as its schema (2.1.0) wants it: the fields that must be there, the values that may be there.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test may"
)]

mod common;

use serde_json::Value;

/// What the schema asks of an object: fields that must be there, and all that may be, each with what it holds.
struct Object {
    required: &'static [&'static str],
    fields: &'static [(&'static str, Holds)],
}

/// What a field may hold.
enum Holds {
    Text,
    /// A whole number, this or above.
    From(i64),
    OneOf(&'static [&'static str]),
    /// A URI reference: nothing that has to be encoded.
    Uri,
    Object(&'static Object),
    List(&'static Object),
}

use Holds::{From, List, OneOf, Text, Uri};

const LOG: Object = Object {
    required: &["version", "runs"],
    fields: &[("$schema", Uri), ("version", OneOf(&["2.1.0"])), ("runs", List(&RUN))],
};
const RUN: Object = Object {
    required: &["tool"],
    fields: &[
        ("tool", Holds::Object(&TOOL)),
        ("results", List(&RESULT)),
        ("columnKind", OneOf(&["utf16CodeUnits", "unicodeCodePoints"])),
    ],
};
const TOOL: Object = Object { required: &["driver"], fields: &[("driver", Holds::Object(&DRIVER))] };
const DRIVER: Object =
    Object { required: &["name"], fields: &[("name", Text), ("version", Text), ("rules", List(&RULE))] };
const RULE: Object =
    Object { required: &["id"], fields: &[("id", Text), ("shortDescription", Holds::Object(&MESSAGE))] };
const MESSAGE: Object = Object { required: &["text"], fields: &[("text", Text)] };
const RESULT: Object = Object {
    required: &["message"],
    fields: &[
        ("ruleId", Text),
        ("ruleIndex", From(0)),
        ("level", OneOf(&["none", "note", "warning", "error"])),
        ("message", Holds::Object(&MESSAGE)),
        ("locations", List(&LOCATION)),
    ],
};
const LOCATION: Object = Object {
    required: &[],
    fields: &[("physicalLocation", Holds::Object(&PHYSICAL)), ("logicalLocations", List(&LOGICAL))],
};
const PHYSICAL: Object = Object {
    required: &["artifactLocation"],
    fields: &[("artifactLocation", Holds::Object(&ARTIFACT)), ("region", Holds::Object(&REGION))],
};
const ARTIFACT: Object = Object { required: &["uri"], fields: &[("uri", Uri)] };
const REGION: Object =
    Object { required: &["startLine"], fields: &[("startLine", From(1)), ("startColumn", From(1))] };
const LOGICAL: Object = Object { required: &["fullyQualifiedName"], fields: &[("fullyQualifiedName", Text)] };

fn check(path: &str, value: &Value, object: &Object) {
    let fields = value.as_object().unwrap_or_else(|| panic!("{path} is no object: {value}"));
    for name in object.required {
        assert!(fields.contains_key(*name), "{path} lacks `{name}`");
    }
    for (name, value) in fields {
        let path = format!("{path}.{name}");
        let known = object.fields.iter().find(|(field, _)| field == name);
        let (_, holds) = known.unwrap_or_else(|| panic!("{path} is not in the schema's part that is used"));
        let text = value.as_str();
        match holds {
            Text => assert!(text.is_some_and(|text| !text.is_empty()), "{path}: {value}"),
            From(least) => assert!(value.as_i64().is_some_and(|number| number >= *least), "{path}: {value}"),
            OneOf(values) => assert!(text.is_some_and(|text| values.contains(&text)), "{path}: {value}"),
            Uri => {
                let plain = |letter: char| letter.is_ascii_graphic() && !"<>\"{}|\\^`".contains(letter);
                assert!(text.is_some_and(|text| text.chars().all(plain)), "{path}: {value}");
            }
            Holds::Object(inner) => check(&path, value, inner),
            List(inner) => {
                let items = value.as_array().unwrap_or_else(|| panic!("{path} is no list"));
                for (at, item) in items.iter().enumerate() {
                    check(&format!("{path}[{at}]"), item, inner);
                }
            }
        }
    }
}

#[test]
fn findings_of_every_kind_fit_the_schema() {
    let nothing = "# no resource\n";
    let named = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
    let broken = "kind: [\n";
    let strange = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\nspec: {\"é \\\"<\": 1}\n";
    for input in [nothing, named, broken, strange, "\u{feff}"] {
        let (_, log) = common::json(&["analyze", "-f", "-", "-o", "sarif"], input);
        check("log", &log, &LOG);
        assert!(!log["runs"][0]["results"].as_array().unwrap().is_empty(), "{input}");
    }
    let (_, log) = common::json(&["analyze", "-f", "eight-mistakes", "-o", "sarif"], "");
    check("log", &log, &LOG);
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    for result in run["results"].as_array().unwrap() {
        let rule = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[rule]["id"], result["ruleId"]);
    }
}

#[test]
#[should_panic(expected = "log.runs[0] lacks `tool`")]
fn what_is_missing_is_noticed() {
    check("log", &serde_json::json!({"version": "2.1.0", "runs": [{"results": []}]}), &LOG);
}
