//! JSON that a decent issuer would not write.

use serde_json::{Map, Value, json};

use super::random::Random;

/// The text of a header, at times an odd one.
pub(super) fn header(random: &mut Random, mut members: Map<String, Value>) -> Vec<u8> {
    match random.below(100) {
        0 => {
            members.insert("kid".to_owned(), odd_value(random));
            text(members)
        }
        1 => {
            members.insert("alg".to_owned(), odd_value(random));
            text(members)
        }
        2 => {
            members.remove("alg");
            text(members)
        }
        3..7 => odd(random, members),
        _ => text(members),
    }
}

/// The text of a payload, at times an odd one.
pub(super) fn payload(random: &mut Random, mut members: Map<String, Value>) -> Vec<u8> {
    match random.below(100) {
        0..3 => {
            let name = random.pick(&["iss", "sub", "jti", "aud", "exp", "nbf", "iat"]);
            members.insert(name.to_owned(), odd_value(random));
            text(members)
        }
        3..7 => {
            let name = random.pick(&["exp", "nbf", "iat", "number"]);
            let placed = with(members, name, json!("PLACE"));
            String::from_utf8_lossy(&placed).replace("\"PLACE\"", random.pick(NUMBERS)).into_bytes()
        }
        7..12 => odd(random, members),
        _ => text(members),
    }
}

/// Numbers as they may stand in JSON, and as they may not.
const NUMBERS: &[&str] = &[
    "0",
    "-0",
    "0.5",
    "-0.5",
    "-1",
    "1e3",
    "1E+3",
    "1e19",
    "1e20",
    "1e308",
    "1e400",
    "1e-400",
    "4102444800",
    "4102444800.9",
    "41024448e2",
    "18446744073709551615",
    "18446744073709551616",
    "9223372036854775808",
    "\"4102444800\"",
    "01",
    "+1",
    ".5",
    "5.",
    "1e",
    "0x10",
    "NaN",
    "Infinity",
    "-Infinity",
    "--1",
    "1_000",
];

fn odd_value(random: &mut Random) -> Value {
    let mixed = json!(["shop", 1]);
    random
        .one(&[
            json!(null),
            json!(1),
            json!(true),
            json!([]),
            json!({}),
            json!(""),
            json!("1"),
            json!(["shop"]),
            mixed,
        ])
        .clone()
}

fn text(members: Map<String, Value>) -> Vec<u8> {
    Value::Object(members).to_string().into_bytes()
}

fn with(mut members: Map<String, Value>, name: &str, value: Value) -> Vec<u8> {
    members.insert(name.to_owned(), value);
    text(members)
}

/// Another text, of which some mean the same.
fn odd(random: &mut Random, members: Map<String, Value>) -> Vec<u8> {
    let first = members.keys().next().cloned().unwrap_or_default();
    let whole = text(members.clone());
    let inner = &whole[1..whole.len() - 1];
    let object = |inner: &[u8]| [b"{", inner, b"}"].concat();
    let also =
        |more: &[u8]| if inner.is_empty() { object(more) } else { object(&[inner, b",", more].concat()) };
    let nested = |open: &str, close: &str, depth: usize| {
        also(format!("\"deep\":{}{}", open.repeat(depth), close.repeat(depth)).as_bytes())
    };
    match random.below(36) {
        0 => also(format!("{}:1", json!(first)).as_bytes()),
        1 => also(b"\"x\":{\"y\":1,\"y\":2}"),
        2 => also(b"\"x\":[{\"\":1,\"\":1}]"),
        3 => also(br#""x":1,"\u0078":2"#),
        4 => also(b""),
        5 => object(&[b",", inner].concat()),
        6 => [&whole[..], b","].concat(),
        7 => also(b"'x':1"),
        8 => also(b"x:1"),
        9 => also(b"\"x\":'y'"),
        10 => also(b"\"x\":[1,]"),
        11 => also(b"\"x\":\"a\tb\""),
        12 => also(b"\"x\":\"a\nb\x01\""),
        13 => also(b"\"x\":\"\0\""),
        14 => also(br#""x":"\ud800""#),
        15 => also(br#""x":"\udc00\ud800""#),
        16 => also(br#""x":"\ud83d\ude00\u0000\/""#),
        17 => also(br#""x":"\x41\a""#),
        18 => also(b"\"x\":\"\xff\""),
        19 => also(b"\"x\":\"\xc0\x80\xed\xa0\x80\""),
        20 => [b"\xef\xbb\xbf", &whole[..]].concat(),
        21 => [b" \t\r\n", &whole[..], b" \n"].concat(),
        22 => [b"\x0c", &whole[..], b"\x0b"].concat(),
        23 => [&whole[..], b" x"].concat(),
        24 => [&whole[..], b"{}"].concat(),
        25 => [&whole[..], b"\0"].concat(),
        26 => whole[..whole.len() - 1].to_vec(),
        27 => also(b"/* x */\"x\":1"),
        28 => also(format!("\"x\":{}", random.pick(&["True", "nul", "undefined", "truely", "-"])).as_bytes()),
        29 => nested("[", "]", random.between(90, 135)),
        30 => {
            let depth = random.between(90, 135);
            also(format!("\"deep\":{}1{}", "{\"d\":".repeat(depth), "}".repeat(depth)).as_bytes())
        }
        31 => nested("[", "]", 3000),
        32 => random.pick(&["null", "[]", "{}", "\"\"", "1", " ", "true", "nul"]).into(),
        33 => [b"[", &whole[..], b"]"].concat(),
        34 => object(
            &inner
                .iter()
                .flat_map(|byte| if *byte == b':' { vec![b' ', b':', b' '] } else { vec![*byte] })
                .collect::<Vec<_>>(),
        ),
        _ => also(format!("\"x\":{}", random.pick(NUMBERS)).as_bytes()),
    }
}
