//! What an unquoted word means. Kubernetes reads YAML with a library that knows the words of YAML 1.1 (`yes`, `on`,
//! `0777`, `1_000`), so they mean here what they mean there.

use crate::node::{Number, Value};

/// The value of a scalar without quotes.
pub(super) fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Value::Bool(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Value::Bool(false),
        _ => number(text).map_or_else(|| Value::String(text.to_owned()), Value::Number),
    }
}

fn number(text: &str) -> Option<Number> {
    if !text.starts_with(|letter: char| letter.is_ascii_digit() || matches!(letter, '+' | '-' | '.')) {
        return None;
    }
    let text = text.replace('_', "");
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(&text);
    let negative = text.starts_with('-');
    if unsigned.eq_ignore_ascii_case(".inf") {
        return Some(Number::Float(if negative { f64::NEG_INFINITY } else { f64::INFINITY }));
    }
    if text.eq_ignore_ascii_case(".nan") {
        return Some(Number::Float(f64::NAN));
    }
    let (digits, base) = match unsigned.split_at_checked(2) {
        Some(("0x", rest)) => (rest, 16),
        Some(("0o", rest)) => (rest, 8),
        Some(("0b", rest)) => (rest, 2),
        _ if unsigned.len() > 1
            && unsigned.starts_with('0')
            && unsigned.bytes().all(|digit| (b'0'..=b'7').contains(&digit)) =>
        {
            (unsigned, 8)
        }
        _ => (unsigned, 10),
    };
    if !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(base)) {
        let signed = if negative { format!("-{digits}") } else { digits.to_owned() };
        if let Ok(number) = i64::from_str_radix(&signed, base) {
            return Some(Number::Integer(number));
        }
    }
    let is_decimal = unsigned.bytes().all(|letter| letter.is_ascii_digit() || b".eE+-".contains(&letter))
        && unsigned.bytes().any(|letter| letter.is_ascii_digit());
    text.parse().ok().filter(|_| is_decimal).map(Number::Float)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_kubernetes() {
        let integer = |number| Value::Number(Number::Integer(number));
        let float = |number| Value::Number(Number::Float(number));
        for (text, expected) in [
            ("", Value::Null),
            ("~", Value::Null),
            ("true", Value::Bool(true)),
            ("off", Value::Bool(false)),
            ("y", Value::String("y".to_owned())),
            ("tRue", Value::String("tRue".to_owned())),
            ("80", integer(80)),
            ("-1", integer(-1)),
            ("+1", integer(1)),
            ("0x1F", integer(31)),
            ("0777", integer(511)),
            ("089", integer(89)),
            ("1_000", integer(1000)),
            ("0.57", float(0.57)),
            ("1e3", float(1000.0)),
            (".5", float(0.5)),
            ("99999999999999999999", float(1e20)),
            (".inf", float(f64::INFINITY)),
            ("1.2.3", Value::String("1.2.3".to_owned())),
            ("10.0.0.1", Value::String("10.0.0.1".to_owned())),
            ("5s", Value::String("5s".to_owned())),
            ("-", Value::String("-".to_owned())),
            (".", Value::String(".".to_owned())),
            ("+infinity", Value::String("+infinity".to_owned())),
            ("2024-05-01", Value::String("2024-05-01".to_owned())),
            ("0x", Value::String("0x".to_owned())),
            ("é", Value::String("é".to_owned())),
        ] {
            assert_eq!(plain(text), expected, "{text}");
        }
    }
}
