//! Envoy's command operators, `%COMMAND(argument):length%`, taken apart but not understood.
//!
//! They fill in format strings: values of headers, lines of access logs, tags of spans.

/// A piece of a format string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'v> {
    /// A text as it is.
    Text(&'v str),
    /// `%%`, which stands for one.
    Percent,
    /// An operator, and where it begins in the format, in bytes from 1.
    Operator(CommandOperator<'v>, usize),
}

/// An operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommandOperator<'v> {
    /// As it is written, without its percent signs.
    pub written: &'v str,
    /// The command.
    pub name: &'v str,
    /// What stands in parentheses; `None`: there are none.
    pub argument: Option<&'v str>,
    /// The number behind the colon, which cuts the value off.
    pub length: Option<usize>,
}

/// A percent sign that begins nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed<'v> {
    /// What follows it, up to the next one.
    pub written: &'v str,
    /// Where it stands in the format, in bytes from 1.
    pub position: usize,
}

/// What a [`Malformed`] operator is told.
pub const FORM: &str = "is not of the form `%COMMAND(arguments):length%`";

/// The pieces of `format`, in their order; ends behind what is malformed.
pub fn pieces(format: &str) -> impl Iterator<Item = Result<Piece<'_>, Malformed<'_>>> {
    let mut rest = format;
    std::iter::from_fn(move || {
        let Some(after) = rest.strip_prefix('%') else {
            let end = rest.find('%').unwrap_or(rest.len());
            let (text, behind) = rest.split_at_checked(end)?;
            rest = behind;
            return (!text.is_empty()).then_some(Ok(Piece::Text(text)));
        };
        if let Some(behind) = after.strip_prefix('%') {
            rest = behind;
            return Some(Ok(Piece::Percent));
        }
        let position = format.len().saturating_sub(after.len());
        let Some((operator, behind)) = CommandOperator::read(after) else {
            rest = "";
            let written = after.split_once('%').map_or(after, |(written, _)| written);
            return Some(Err(Malformed { written, position }));
        };
        rest = behind;
        Some(Ok(Piece::Operator(operator, position)))
    })
}

impl<'v> CommandOperator<'v> {
    /// Reads what follows a percent sign, up to the next one that can end it, and what stands behind that.
    fn read(text: &'v str) -> Option<(Self, &'v str)> {
        let is_name = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        let end = text.bytes().position(|byte| !is_name(byte)).unwrap_or(text.len());
        let (name, after) = text.split_at_checked(end).filter(|(name, _)| !name.is_empty())?;
        let operator = |argument, (length, behind): (_, &'v str)| {
            let written = text.get(..text.len().saturating_sub(behind.len() + 1)).unwrap_or_default();
            Some((Self { written, name, argument, length }, behind))
        };
        let Some(inside) = after.strip_prefix('(') else { return operator(None, ending(after)?) };
        // An argument may hold parentheses of its own: the first that the operator can end after closes it.
        inside
            .match_indices(')')
            .find_map(|(at, _)| operator(Some(inside.get(..at)?), ending(inside.get(at + 1..)?)?))
    }
}

/// `:length%` or `%`, and what stands behind it.
fn ending(text: &str) -> Option<(Option<usize>, &str)> {
    if let Some(behind) = text.strip_prefix('%') {
        return Some((None, behind));
    }
    let (length, behind) = text.strip_prefix(':')?.split_once('%')?;
    Some((Some(length.parse().ok().filter(|_| !length.starts_with('+'))?), behind))
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    /// Each piece in a word: a text, `%`, an operator's parts, or what is malformed and where.
    fn taken_apart(format: &str) -> Vec<String> {
        let piece = |piece| match piece {
            Ok(Piece::Text(text)) => format!("text {text}"),
            Ok(Piece::Percent) => "%".to_owned(),
            Ok(Piece::Operator(CommandOperator { name, argument, length, .. }, at)) => {
                format!("{at} {name} {argument:?} {length:?}")
            }
            Err(Malformed { written, position }) => format!("{position} malformed {written}"),
        };
        pieces(format).map(piece).collect()
    }

    #[test]
    fn pieces_are_envoys() {
        for (format, expected) in [
            ("", &[][..]),
            ("plain", &["text plain"]),
            ("a%%b", &["text a", "%", "text b"]),
            ("%A%%B_2%", &["1 A None None", "4 B_2 None None"]),
            ("%A()%", &["1 A Some(\"\") None"]),
            ("x %A(y):03% z", &["text x ", "3 A Some(\"y\") Some(3)", "text  z"]),
            ("%A(%Y(b))%", &["1 A Some(\"%Y(b)\") None"]),
            ("%A:3%", &["1 A None Some(3)"]),
            ("100%", &["text 100", "4 malformed "]),
            ("%a%b", &["1 malformed a"]),
            ("%A(%Y) %B%", &["1 malformed A("]),
            ("%A(b):-1%", &["1 malformed A(b):-1"]),
        ] {
            assert_eq!(taken_apart(format), expected, "{format}");
        }
    }
}
