//! Names and values of headers.

/// Pseudo headers which a route may match.
const PSEUDO: [&str; 5] = [":method", ":scheme", ":authority", ":path", ":status"];

/// A name made of HTTP's token characters.
pub(crate) fn name(text: &str) -> Result<(), String> {
    if !text.is_empty() && text.bytes().all(is_letter) {
        Ok(())
    } else {
        Err("is not the name of a header".to_owned())
    }
}

/// Whether a text is a token of RFC 9110, section 5.6.2: the name of a header, or a method.
#[must_use]
pub fn is_token(text: &str) -> bool {
    name(text).is_ok()
}

fn is_letter(letter: u8) -> bool {
    letter.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&letter)
}

/// The name of a header or a pseudo header.
pub(crate) fn name_or_pseudo(text: &str) -> Result<(), String> {
    if PSEUDO.contains(&text) { Ok(()) } else { name(text) }
}

/// A name for which Istio allows letters, digits, `-` and `_` only.
pub(crate) fn strict_name(text: &str) -> Result<(), String> {
    let good = !text.is_empty()
        && text.bytes().all(|letter| letter.is_ascii_alphanumeric() || b"-_".contains(&letter));
    if good { Ok(()) } else { Err("is not the name of a header (letters, digits, `-` and `_`)".to_owned()) }
}

/// `:authority`, also by the name `host`.
pub(crate) fn is_authority(text: &str) -> bool {
    text.eq_ignore_ascii_case(":authority") || text.eq_ignore_ascii_case("host")
}

/// Envoy's format string: plain text, `%COMMAND(arguments):length%` and `%%`.
pub(crate) fn value(text: &str) -> Result<(), String> {
    if text.chars().any(|letter| letter != '\t' && letter.is_ascii_control()) {
        return Err("contains a control character".to_owned());
    }
    let mut letters = text.bytes().peekable();
    while let Some(letter) = letters.next() {
        if letter != b'%' {
            continue;
        }
        match letters.peek() {
            None => return Err("ends in a single `%`; write `%%` for a percent sign".to_owned()),
            Some(b'%') => _ = letters.next(),
            Some(_) => command(&mut letters)?,
        }
    }
    Ok(())
}

/// The rest of a command, up to its closing percent sign.
fn command(letters: &mut impl Iterator<Item = u8>) -> Result<(), String> {
    let open = || "has a `%` without its partner; write `%%` for a percent sign".to_owned();
    loop {
        match letters.next().ok_or_else(open)? {
            b'%' => return Ok(()),
            b'(' => break,
            _ => {}
        }
    }
    while letters.next().ok_or_else(open)? != b')' {}
    loop {
        match letters.next().ok_or_else(open)? {
            b'%' => return Ok(()),
            b' ' | b':' | b'0'..=b'9' => {}
            _ => return Err("has text between `)` and the closing `%` of a command".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn names() {
        for (text, plain, pseudo, strict) in [
            ("x-foo", true, true, true),
            ("X_Foo", true, true, true),
            ("x.foo", true, true, false),
            (":path", false, true, false),
            (":other", false, false, false),
            ("", false, false, false),
            ("a b", false, false, false),
            ("a:b", false, false, false),
            ("é", false, false, false),
        ] {
            assert_eq!(name(text).is_ok(), plain, "{text}");
            assert_eq!(name_or_pseudo(text).is_ok(), pseudo, "{text}");
            assert_eq!(strict_name(text).is_ok(), strict, "{text}");
        }
    }

    #[test]
    fn values() {
        for (text, good) in [
            ("", true),
            ("plain é", true),
            ("%HOSTNAME%", true),
            ("100%%", true),
            ("a %REQ(X-FOO?BAR):10% b", true),
            ("%START_TIME(%Y%m%d)%", true),
            ("a\tb", true),
            ("100%", false),
            ("abc%123", false),
            ("%START_TIME%%", false),
            ("%REQ(x", false),
            ("%REQ(x)", false),
            ("%REQ(x)y%", false),
            ("a\nb", false),
            ("a\0b", false),
            ("a\u{7f}", false),
        ] {
            assert_eq!(value(text).is_ok(), good, "{text}");
        }
    }
}
