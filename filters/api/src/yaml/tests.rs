use super::*;
use crate::json::from_node;
use crate::{node::Value, path::FieldPath};

fn one(text: &str) -> Node {
    parse(text).remove(0).unwrap()
}

fn error(text: &str) -> YamlError {
    parse(text).into_iter().find_map(Result::err).unwrap_or_else(|| panic!("no error in {text:.50}"))
}

fn at(node: &Node, path: &str) -> (u32, u32) {
    let position = node.locate(&FieldPath::parse(path)).unwrap();
    (position.line, position.column)
}

#[test]
fn every_value_knows_its_place() {
    let node = one("a:\n  b:\n    - x\n    - c: 1\n      d: 'é'\n  e: {f: [1, 2]}\n");
    for (path, place) in [
        ("a", (1, 1)),
        ("a.b", (2, 3)),
        ("a.b[0]", (3, 7)),
        ("a.b[1]", (4, 7)),
        ("a.b[1].d", (5, 7)),
        ("a.e.f[1]", (6, 14)),
        ("a.b[7].x", (2, 3)),
        ("nothing", (1, 1)),
    ] {
        assert_eq!(at(&node, path), place, "{path}");
    }
}

#[test]
fn several_documents_count_their_lines_through() {
    let documents = parse("# first\n---\na: 1\n---\n---\nb: 2\n...\n---\nc: [\n---\n'd': 4\n");
    let lines: Vec<_> = documents
        .iter()
        .map(|document| match document {
            Ok(node) => node.position.map(|position| position.line),
            Err(error) => Some(1000 + error.position.line),
        })
        .collect();
    assert_eq!(lines.first(), Some(&Some(3)), "{documents:?}");
    assert_eq!(lines.last(), Some(&Some(11)), "{documents:?}");
    assert!(lines.iter().flatten().any(|line| *line > 1000), "{documents:?}");
}

#[test]
fn a_marker_inside_of_a_value_is_none() {
    let node = one("a: |\n  ---\n  b\nc: --- d\n");
    assert_eq!(node.get("a").and_then(Node::as_str), Some("---\nb\n"));
    assert_eq!(node.get("c").and_then(Node::as_str), Some("--- d"));
}

#[test]
fn quotes_make_strings() {
    let node = one("a: '80'\nb: \"true\"\nc: 80\nd: !!str 80\ne: ''\nf:\n");
    for (key, text) in
        [("a", Some("80")), ("b", Some("true")), ("c", None), ("d", Some("80")), ("e", Some(""))]
    {
        assert_eq!(node.get(key).and_then(Node::as_str), text, "{key}");
    }
    assert!(node.get("f").is_some_and(Node::is_null));
}

#[test]
fn aliases_and_merge_keys() {
    let node = one("base: &b {x: 1, y: 2}\nsame: *b\nmore:\n  <<: *b\n  y: 3\n");
    assert_eq!(node.get("same").map(|node| &node.value), node.get("base").map(|node| &node.value));
    assert_eq!(at(&node, "same"), (2, 1));
    let more = node.get("more").unwrap();
    assert_eq!(more.get("y").map(|node| node.value.clone()), Some(crate::yaml::scalar::plain("3")));
    assert_eq!(more.get("x").map(|node| node.value.clone()), Some(crate::yaml::scalar::plain("1")));
    assert!(more.get("<<").is_none());
}

#[test]
fn keys_are_always_text() {
    let node = one("on: 1\n80: 2\n1.10: 3\n");
    assert!(["on", "80", "1.10"].iter().all(|key| node.get(key).is_some()));
}

#[test]
fn errors_have_a_place() {
    for (text, message, place) in [
        ("a: 1\na: 2\n", "key `a` is given twice", (2, 1)),
        (
            "apiVersion: v1\napiVersion: v1\n",
            "key `apiVersion` is given twice: between two resources stands a line `---`",
            (2, 1),
        ),
        ("a: !foo 1\n", "tag `!foo` is not supported", (1, 4)),
        ("[a]: 1\n", "a key must be a single value", (1, 1)),
        ("a: &x [*x]\n", "this alias stands inside of what it stands for", (1, 8)),
    ] {
        let error = error(text);
        assert_eq!(
            (error.message.as_str(), (error.position.line, error.position.column)),
            (message, place),
            "{text}"
        );
    }
    assert_eq!(error("a: b\n c: d: e\n").position.line, 2);
}

#[test]
fn bombs_are_refused() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let last = level - 1;
        bomb.push_str(&format!("a{level}: &a{level} [{}]\n", vec![format!("*a{last}"); 9].join(", ")));
    }
    assert_eq!(error(&bomb).message, "the text comes to too many values");
    let mut nested = "a0: &a0 [x]\n".to_owned();
    for level in 1..200 {
        nested.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    assert!(error(&nested).message.contains("nested"));
    for text in ["[".repeat(10_000), "{a: ".repeat(10_000), "- ".repeat(10_000)] {
        let _ = error(&text);
    }
}

#[test]
fn any_text_is_read_without_a_panic() {
    for text in [
        "\0",
        "a: \0",
        "\u{feff}a: 1",
        "%",
        "%YAML 1.2\n---\na: 1",
        "&",
        "*a",
        "? a\n: b",
        "!!",
        "|",
        "\t",
        "a:\tb",
        "- - -",
        "---",
        "--- a\n--- b",
        "'",
        "\"\\x",
        "a: [\n---\n]",
    ] {
        for document in parse(text) {
            let _ = document.is_ok_and(|node| matches!(node.value, Value::Null));
        }
    }
}

/// As Kubernetes reads it.
#[test]
fn flow_collections_need_no_indentation() {
    let indented = one("a:\n  b: [\n    x,\n    {c: 1}\n    ]\n  d: {e: [1,\n    2]\n    }\nf: g\n");
    for text in [
        "a:\n  b: [\n    x,\n    {c: 1}\n  ]\n  d: {e: [1,\n2]\n}\nf: g\n",
        "a:\n  b: [\nx,\n{c: 1}\n]\n  d: {\ne: [1,\n2]}\nf: g\n",
        "a:\r\n  b: [\r\n x,\r\n {\r\n c: 1}\r\n ]\r\n  d: {e: [1, # ]\r\n 2]\r\n  }\r\nf: g\r\n",
    ] {
        let value = one(text);
        assert_eq!(from_node(&value), from_node(&indented), "{text}");
    }
    let node = one("a:\n  b: [\n x, {c: 1}\n  ]\n  d: e\n");
    assert_eq!((at(&node, "a.b[0]"), at(&node, "a.b[1].c"), at(&node, "a.d")), ((3, 2), (3, 6), (5, 3)));
    // What is wrong otherwise keeps its place.
    for (text, place) in [
        ("a:\n  b: [\n x\n  ] y\n", (4, 5)),
        ("a:\n  b: [\n x, {\n  ]\n", (4, 3)),
        ("a:\n  - b\n ]\n", (3, 2)),
    ] {
        let position = error(text).position;
        assert_eq!((position.line, position.column), place, "{text}");
    }
}

#[test]
fn a_text_within_quotes_is_not_indented() {
    let node = one("a:\n  b: [\n    \"x\n\n     y\",\n    'z\n     ]'\n  ]\n");
    let texts = ["a.b[0]", "a.b[1]"].map(|path| node.locate(&FieldPath::parse(path)).is_some());
    assert_eq!(texts, [true, true]);
    assert_eq!(from_node(&node), from_node(&one("{a: {b: [\"x\\ny\", 'z ]']}}")));
}

#[test]
fn however_many_lines_stand_to_the_left_an_answer_comes() {
    let many = |count: usize| "a:\n  b:\n".to_owned() + &"  - [\n  ]\n".repeat(count);
    assert!(parse(&many(150)).remove(0).is_ok());
    assert_eq!(error(&many(3000)).message, "invalid indentation");
}
