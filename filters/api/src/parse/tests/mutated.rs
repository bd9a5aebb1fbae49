//! Resources after harm: whatever becomes of them, nothing panics, and each problem of a file has a place in it and a
//! message that fits on a screen.

use std::{fs, path::Path, sync::LazyLock};

use proptest::{collection::vec, prelude::*};

use super::table;
use crate::{parse_json, parse_yaml};

/// The resource of every row of the tables.
static RESOURCES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/parse/tests/tables");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut resources = Vec::new();
    for file in files {
        table::rewrite(&fs::read_to_string(file).unwrap(), |resource| {
            resources.push(resource.to_owned());
            Vec::new()
        });
    }
    assert!(resources.len() > 300);
    resources
});

/// What does harm somewhere.
const HOSTILE: [&[u8]; 44] = [
    b"\0",
    b"\xff",
    b"\xc3\x28",
    b"\xef\xbb\xbf",
    b"\r\n",
    b"\r",
    b"\t",
    b"\n",
    b" ",
    b":",
    b": ",
    b"- ",
    b"?",
    b"? ",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b"&a ",
    b"*a",
    b"<<: ",
    b"!!binary ",
    b"!!str ",
    b"!x ",
    b"|\n",
    b">-\n",
    b"'",
    b"\"",
    b"%",
    b"@",
    b"#",
    b"---\n",
    b"...\n",
    b"%YAML 1.1\n",
    b"null",
    b"~",
    b"-0",
    b"1e999",
    b"9223372036854775808",
    b"-1",
    b".nan",
    "\u{202e}é".as_bytes(),
    b"*",
];

#[derive(Debug, Clone)]
enum Harm {
    Insert(usize),
    Replace(usize, usize),
    Delete(usize),
    Repeat(usize),
}

fn harm() -> impl Strategy<Value = Harm> {
    prop_oneof![
        (0..HOSTILE.len()).prop_map(Harm::Insert),
        (0..HOSTILE.len(), 1..12_usize).prop_map(|(what, length)| Harm::Replace(what, length)),
        (1..40_usize).prop_map(Harm::Delete),
        (1..60_usize).prop_map(Harm::Repeat),
    ]
}

fn harmed(mut text: Vec<u8>, harms: &[(prop::sample::Index, Harm)]) -> Vec<u8> {
    for (place, harm) in harms {
        let at = place.index(text.len() + 1);
        let end = |length: usize| (at + length).min(text.len());
        let (range, by) = match harm {
            Harm::Insert(what) => (at..at, HOSTILE[*what].to_vec()),
            Harm::Replace(what, length) => (at..end(*length), HOSTILE[*what].to_vec()),
            Harm::Delete(length) => (at..end(*length), Vec::new()),
            Harm::Repeat(length) => (at..at, text[at..end(*length)].to_vec()),
        };
        text.splice(range, by);
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_harm(
        resource in any::<prop::sample::Index>(),
        harms in vec((any::<prop::sample::Index>(), harm()), 1..6),
    ) {
        let text = harmed(resource.get(&RESOURCES).clone().into_bytes(), &harms);
        let parsed = parse_yaml(&text, "x.yaml", "default");
        let lines = 1 + text.iter().filter(|letter| matches!(letter, b'\n' | b'\r')).count();
        for problem in &parsed.problems {
            let said = problem.to_string();
            let place = problem.position.map(|place| (usize::try_from(place.line).unwrap(), place.column));
            prop_assert!(place.is_some_and(|(line, column)| (1..=lines + 1).contains(&line) && column > 0), "{}", said);
            prop_assert!(!problem.message.is_empty() && said.chars().count() < 1_500, "{}", said);
            prop_assert!(!problem.message.contains(|letter: char| letter.is_control()), "{:?}", said);
        }
        let refused = parsed.problems.iter().any(|problem| problem.is_error());
        prop_assert!(refused || !parsed.resources.is_empty() || !parsed.ignored.is_empty() || parsed.problems.len() < 2);
        let _ = parse_json(&text, "default");
    }
}
