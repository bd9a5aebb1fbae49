//! The value of a label that a Telemetry sets: a CEL expression over Envoy's attributes.

/// A CEL expression, by how its value is got. Most are of the first two kinds, which cost the host far less than an
/// expression that it has to evaluate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// A text in quotes.
    Literal(String),
    /// An attribute, such as `request.headers['x-team']`: its path as the host takes it, parted by NUL.
    Attribute(Vec<u8>),
    /// Anything else, for the host to compile.
    Cel(String),
}

/// What Envoy's attributes begin with.
const ROOTS: [&str; 10] = [
    "connection",
    "destination",
    "filter_state",
    "metadata",
    "request",
    "response",
    "source",
    "upstream",
    "upstream_filter_state",
    "xds",
];

impl Expression {
    /// Reads an expression. Whether one of kind [`Expression::Cel`] is well-formed only the host can tell.
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        if let Some(literal) = quoted(text) {
            return Self::Literal(literal.to_owned());
        }
        attribute(text).map_or_else(|| Self::Cel(text.to_owned()), Self::Attribute)
    }

    /// Whether its value may depend on what filters have left to others.
    pub fn reads_filter_state(&self) -> bool {
        const NAME: &str = "filter_state";
        match self {
            Self::Literal(_) => false,
            Self::Attribute(path) => path.starts_with(NAME.as_bytes()),
            Self::Cel(text) => text.contains(NAME),
        }
    }
}

/// What a text of its own stands for; one with escapes in it is for a real parser.
fn quoted(text: &str) -> Option<&str> {
    ['\'', '"'].into_iter().find_map(|quote| {
        let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
        (!inner.contains(quote) && !inner.contains('\\')).then_some(inner)
    })
}

/// The path of an attribute: names parted by `.`, and texts in `[]`.
fn attribute(text: &str) -> Option<Vec<u8>> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let end = |text: &str| text.bytes().position(|byte| !is_name(byte)).unwrap_or(text.len());
    let (root, mut rest) = text.split_at_checked(end(text))?;
    // The whole of one of them is no value.
    if !ROOTS.contains(&root) || rest.is_empty() {
        return None;
    }
    let mut path = root.as_bytes().to_vec();
    while !rest.is_empty() {
        let (name, after) = match rest.strip_prefix('.') {
            Some(field) => field.split_at_checked(end(field)).filter(|(name, _)| !name.is_empty())?,
            None => {
                let (index, after) = rest.strip_prefix('[')?.split_once(']')?;
                (quoted(index.trim())?, after)
            }
        };
        path.push(0);
        path.extend_from_slice(name.as_bytes());
        rest = after;
    }
    Some(path)
}

/// A value as the host hands it over, as text. It does not say of which type it is: a boolean is one byte, a number eight.
/// The last of these is 0xff if it is below zero, and next to always there is a control character among them, which no
/// text of a header holds. A text of eight bytes that is not UTF-8 stays one, unless it ends in 0xff.
pub fn to_text(value: &[u8]) -> String {
    let is_control = |byte: &u8| (*byte < b' ' && *byte != b'\t') || *byte == 0x7f;
    let is_number = value.iter().any(is_control) || value.last() == Some(&0xff);
    match value {
        [0] => "false".to_owned(),
        [1] => "true".to_owned(),
        _ => match <[u8; 8]>::try_from(value) {
            Ok(number) if is_number => i64::from_le_bytes(number).to_string(),
            _ => String::from_utf8_lossy(value).into_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn filter_state_is_found_wherever_it_is_read() {
        for (text, reads) in [
            ("filter_state['a']", true),
            ("filter_state['a'] == 'b' ? 'c' : 'd'", true),
            ("'filter_state'", false),
            ("request.host", false),
            ("request.host + 'x'", false),
        ] {
            assert_eq!(Expression::parse(text).reads_filter_state(), reads, "{text}");
        }
    }

    #[test]
    fn expressions_are_told_apart() {
        let attribute = |path: &str| Expression::Attribute(path.as_bytes().to_vec());
        let cel = |text: &str| Expression::Cel(text.to_owned());
        for (text, read) in [
            ("'a'", Expression::Literal("a".to_owned())),
            (" \"it's\" ", Expression::Literal("it's".to_owned())),
            ("''", Expression::Literal(String::new())),
            ("request.host", attribute("request\0host")),
            ("request.headers['x-team']", attribute("request\0headers\0x-team")),
            ("request.headers[ \"x\" ]", attribute("request\0headers\0x")),
            (
                "xds.cluster_metadata.filter_metadata['a.b']",
                attribute("xds\0cluster_metadata\0filter_metadata\0a.b"),
            ),
            ("'a' + 'b'", cel("'a' + 'b'")),
            ("'a\\n'", cel("'a\\n'")),
            ("request", cel("request")),
            ("request.", cel("request.")),
            ("request.a ", attribute("request\0a")),
            ("request.headers[x]", cel("request.headers[x]")),
            ("request.host == 'a'", cel("request.host == 'a'")),
            ("has(request.host)", cel("has(request.host)")),
            ("other.host", cel("other.host")),
            ("request.headers['a'", cel("request.headers['a'")),
            ("", cel("")),
        ] {
            assert_eq!(Expression::parse(text), read, "{text}");
        }
    }

    #[test]
    fn values_become_text() {
        for (value, text) in [
            (&b"shop"[..], "shop"),
            (b"eightfit", "eightfit"),
            (b"", ""),
            (&8080i64.to_le_bytes(), "8080"),
            (&(-1i64).to_le_bytes(), "-1"),
            (&[1], "true"),
            (&[0], "false"),
            (&[0xff, b'a'], "\u{fffd}a"),
            // Eight bytes in Latin-1.
            (b"caf\xe9 bar", "caf\u{fffd} bar"),
            (&i64::MAX.to_le_bytes(), "9223372036854775807"),
        ] {
            assert_eq!(to_text(value), text);
        }
    }
}
