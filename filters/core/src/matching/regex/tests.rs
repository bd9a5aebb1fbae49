#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

/// Whether the whole of `value` matches `pattern`.
fn matches(pattern: &str, value: &[u8]) -> bool {
    compile(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}")).is_match(value)
}

#[test]
fn the_whole_value_must_match() {
    for (pattern, value, expected) in [
        ("a|ab", &b"ab"[..], true),
        ("a|ab", b"abc", false),
        ("a", b"ba", false),
        ("", b"", true),
        ("", b"a", false),
        ("^a$", b"a", true),
        ("a", b"a\n", false),
        ("(?m)^a$", b"a\nb", false),
        ("(?i)users", b"USERS", true),
        ("x(?i)y", b"xY", true),
        ("(?i:x)y", b"XY", false),
        ("/users/[0-9]+(/.*)?", b"/users/12/x", true),
    ] {
        assert_eq!(matches(pattern, value), expected, "{pattern} on {}", value.escape_ascii());
    }
}

#[test]
fn characters_are_bytes_as_in_latin1() {
    for (pattern, value, expected) in [
        ("caf.", &b"caf\xe9"[..], true),
        ("caf.", "café".as_bytes(), false),
        ("caf..", "café".as_bytes(), true),
        ("café", "café".as_bytes(), true),
        ("café", b"caf\xe9", false),
        (r"caf\xe9", b"caf\xe9", true),
        (r"caf\x{E9}", b"caf\xe9", true),
        (r"\351", b"\xe9", true),
        // Two characters each, the star and the class see the second one alone.
        ("é*", b"\xc3\xa9\xa9", true),
        ("[é]", b"\xa9", true),
        (r"[^\x00-\x7f]+", b"\x80\xff", true),
        (r"\w", b"\xe9", false),
        (r"\W", b"\xe9", true),
        (r"[\x80-\xff]", b"\x90", true),
        (".", b"\n", false),
        (r"\C", b"\n", true),
        ("(?s).", b"\n", true),
        ("[^a]", b"\n", true),
    ] {
        assert_eq!(matches(pattern, value), expected, "{pattern} on {}", value.escape_ascii());
    }
}

#[test]
fn what_both_engines_accept_means_what_re2_means() {
    for (pattern, value, expected) in [
        (r"\<a\>", &b"<a>"[..], true),
        (r"\<a\>", b"a", false),
        ("[a&&b]", b"&", true),
        ("[a&&b]", b"a", true),
        ("[a--c]", b"b", false),
        ("[a~~b]", b"~", true),
        ("[[a]b]", b"[b]", true),
        ("[[]", b"[", true),
        ("[]a]", b"]", true),
        ("[^]a]", b"]", false),
        ("[a-]", b"-", true),
        (r"[\d-z]", b"-", true),
        ("a{,2}", b"a{,2}", true),
        ("a{,2}", b"aa", false),
        ("a{ 2}", b"a{ 2}", true),
        ("{", b"{", true),
        ("a}", b"a}", true),
        (r"\s", b"\x0b", false),
        (r"[\s]", b"\x0b", false),
        (r"\S", b"\x0b", true),
        ("[[:space:]]", b"\x0b", true),
        ("[[:^alpha:]x]", b"1", true),
        ("[:alpha:]", b"l", true),
        ("[:alpha:]", b"z", false),
        (r"\Qa.b*\E+", b"a.b***", true),
        (r"\Qa.b", b"a.b", true),
        ("a b # c", b"a b # c", true),
        (r"\b{start}", b"", false),
        (r"a\b{2}", b"a", true),
        ("(?P<x>a)", b"a", true),
        ("(?<x>a)", b"a", true),
        (r"\_\-\ ", b"_- ", true),
        ("|a", b"", true),
        ("^*a", b"a", true),
        ("a{2}", b"aa", true),
        ("a{2,}", b"aaa", true),
        ("(?:a{2})?", b"", true),
    ] {
        if pattern == "[a--c]" {
            assert!(compile(pattern).is_err(), "a range that ends before it begins");
            continue;
        }
        assert_eq!(matches(pattern, value), expected, "{pattern} on {}", value.escape_ascii());
    }
}

#[test]
fn what_re2_refuses_is_refused() {
    for (pattern, reason) in [
        ("(?=a)", "lookaround"),
        ("(?!a)", "lookaround"),
        ("(?<=a)b", "lookaround"),
        ("(?<!a)b", "lookaround"),
        ("(?x) a", "flags"),
        ("(?u)a", "flags"),
        ("(?R)a", "flags"),
        ("(?i-)a", "flags"),
        ("(?P=x)", "flags"),
        ("(?>a)", "flags"),
        (r"(a)\1", "back references"),
        (r"\pX", "Unicode class"),
        (r"\p", "Unicode class"),
        (r"[\p{Greek}]", "no byte"),
        (r"\u00e9", "not RE2"),
        (r"\Z", "not RE2"),
        (r"\h", "not RE2"),
        (r"[\b]", "not RE2"),
        (r"\é", "backslash"),
        ("\\", "backslash"),
        (r"\x{100}", r"`\xFF`"),
        (r"\777", r"`\xFF`"),
        (r"\xg1", "hexadecimal"),
        ("a**", "stack"),
        ("a+?+", "stack"),
        ("a++", "stack"),
        ("a{2}{3}", "stack"),
        ("*", "nothing"),
        ("a|+", "nothing"),
        ("(?i)*", "nothing"),
        ("{2}", "nothing"),
        ("a{1001}", "1000"),
        ("((a{10}){11}){10}", "1000"),
        ("a{3,2}", "minimum"),
        ("[b-a]", "range"),
        ("[a", "`]`"),
        ("[", "`]`"),
        ("[]", "`]`"),
        ("[[:nope:]]", "character class"),
        ("(a", "`)`"),
        ("a)", "`(`"),
        ("(?P<a b>x)", "name"),
        ("(?P<é>x)", "name"),
        (
            "(?:a{1000}b{1000}c{1000}d{1000}e{1000}){1,1}(?:a{0,1000}b{0,1000}){0,1}.{1000}.{1000}.{1000}.{1000}.{1000}.{1000}.{1000}.{1000}.{1000}.{1000}.{1000}.{1000}.{1000}.{1000}.{1000}.{1000}.{1000}.{1000}.{1000}.{1000}",
            "too large",
        ),
    ] {
        match compile(pattern) {
            Ok(_) => panic!("{pattern} must be refused"),
            Err(error) => assert!(error.to_string().contains(reason), "{pattern}: {error}"),
        }
    }
}

#[test]
fn groups_may_stand_as_deep_as_istio_lets_them() {
    let nested = |depth: usize| format!("{}{}", "(".repeat(depth), ")".repeat(depth));
    assert!(matches(&nested(512), b""));
    assert_eq!(compile_search(&nested(512)).unwrap().groups(), 513);
    assert!(matches(&format!("{}a{}", "(?:".repeat(204), ")?".repeat(204)), b"a"));
    let refused = compile(&nested(513)).unwrap_err();
    assert!(refused.to_string().contains("512"), "{refused}");
}

#[test]
fn a_group_that_is_never_there_has_a_number() {
    let search = compile_search("(a){0}(b)").unwrap();
    let found = search.replace_all(b"ab", |groups| [groups.get(1), b"<", groups.get(2), b">"].concat());
    assert_eq!((search.groups(), &*found), (3, &b"a<b>"[..]));
}

#[test]
fn a_search_keeps_the_numbers_of_groups() {
    let regex = compile_search("^/service/([^/]+)(/.*)$").expect("valid");
    let swap = |groups: &Groups<'_>| [groups.get(2), b"/instance/", groups.get(1)].concat();
    assert_eq!(regex.replace_all(b"/service/foo/v1", swap), b"/v1/instance/foo");
}

#[test]
fn a_set_numbers_its_expressions_in_order() {
    let set = compile_set(["a.*", "b", ".*c"]).expect("valid");
    let mut found = Vec::new();
    set.each_match(b"abc", &mut |number| found.push(number));
    found.sort_unstable();
    assert_eq!(found, [0, 2]);
    assert!(compile_set(["a", "(?=b)"]).is_err());
}

#[test]
fn no_text_makes_the_parser_panic() {
    let pieces = [
        "\\", "(", ")", "[", "]", "{", "}", "?", "*", "-", ":", "^", "é", "1", ",", "P<", "Q", "E", "x", "i",
    ];
    for a in pieces {
        for b in pieces {
            for c in pieces {
                let _ = compile(&format!("{a}{b}{c}"));
                let _ = re2::parse(&format!("[{a}{b}{c}]{a}"));
            }
        }
    }
}

/// Every construct of the table, on every byte and every word: the verdict must be RE2's.
#[test]
fn the_table_of_what_re2_says_holds() {
    const TABLE: &str = include_str!("re2.tsv");
    let rows = || {
        TABLE.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect::<Vec<_>>())
    };
    let words: Vec<Vec<u8>> = rows().next().unwrap()[1].split(' ').map(word).collect();
    let (mut count, mut wrong) = (0, Vec::new());
    for row in rows().skip(1) {
        let (pattern, compiled) = (row[0], compile(row[0]));
        count += 1;
        let (Ok(regex), &[_, bytes, matching]) = (&compiled, row.as_slice()) else {
            // Refused means refused, and the other way round.
            if row.len() == 3 || compiled.is_ok() {
                wrong.push(format!("{row:?}: {:?}", compiled.err()));
            }
            continue;
        };
        let bytes: Vec<(u8, u8)> = bytes.split_whitespace().map(range).collect();
        let matching: Vec<Vec<u8>> = matching.split_whitespace().map(word).collect();
        let all_bytes = (0..=u8::MAX)
            .map(|byte| (vec![byte], bytes.iter().any(|(first, last)| (*first..=*last).contains(&byte))));
        for (value, expected) in
            all_bytes.chain(words.iter().map(|word| (word.clone(), matching.contains(word))))
        {
            if regex.is_match(&value) != expected {
                wrong.push(format!("{pattern} on {}: RE2 says {expected}", value.escape_ascii()));
            }
        }
    }
    assert!(count > 450, "{count}");
    assert_eq!(wrong, Vec::<String>::new());
}

/// `7A` or `61-7A`.
fn range(text: &str) -> (u8, u8) {
    let byte = |text| u8::from_str_radix(text, 16).unwrap();
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    (byte(first), byte(last))
}

/// `""`, `a*1000`, or text with `\xHH` in it.
fn word(text: &str) -> Vec<u8> {
    if let Some(count) = text.strip_prefix("a*").and_then(|count| count.parse().ok()) {
        return vec![b'a'; count];
    }
    if text == "\"\"" {
        return Vec::new();
    }
    let mut parts = text.split("\\x");
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        let (hex, rest) = part.split_at(2);
        bytes.push(u8::from_str_radix(hex, 16).unwrap());
        bytes.extend_from_slice(rest.as_bytes());
    }
    bytes
}

/// Where an expression is looked for, what the groups hold is RE2's choice too.
#[test]
fn the_table_of_what_re2_finds_holds() {
    const TABLE: &str = include_str!("re2_search.tsv");
    let rows = || {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
        lines.map(|line| line.split('\t').collect::<Vec<_>>())
    };
    let texts: Vec<&str> = rows().next().unwrap()[1].split(' ').collect();
    let mut patterns: Vec<&str> = rows().skip(1).map(|row| row[0]).collect();
    patterns.dedup();
    let mut wrong = Vec::new();
    for pattern in &patterns {
        let search = compile_search(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
        for text in &texts {
            let expected = rows().skip(1).find(|row| row[0] == *pattern && row[1] == *text);
            let expected: Vec<_> = expected.map_or(Vec::new(), |row| row[2].split(' ').map(word).collect());
            let found = std::cell::RefCell::new(Vec::new());
            search.replace_all(&word(text), |groups| {
                if found.borrow().is_empty() {
                    let each = (0..search.groups()).map(|group| groups.get(group).to_vec());
                    found.borrow_mut().extend(each);
                }
                Vec::new()
            });
            if found.borrow().as_slice() != expected {
                wrong.push(format!("{pattern} in {text}: {:?}, RE2 {expected:?}", found.borrow()));
            }
        }
    }
    assert!(patterns.len() > 50, "{}", patterns.len());
    assert_eq!(wrong, Vec::<String>::new());
}
