//! Istio's path templates: `/users/{*}/orders/{**}`, matched as Envoy's `uri_template` does.

use outrigger_api::types::authorization_policy::TemplateSegment;

/// A path template, compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Segments before `{**}`, or all of them. `None` is `{*}`.
    segments: Box<[Option<Box<[u8]>>]>,
    /// What follows `{**}`, from its slash on; `None` without `{**}`.
    tail: Option<Box<[u8]>>,
}

impl Template {
    /// Compiles segments; the first follows the leading slash. Literals only may follow `{**}`.
    pub fn new(segments: &[TemplateSegment]) -> Self {
        let mut before = Vec::new();
        let mut tail: Option<Vec<u8>> = None;
        for segment in segments {
            match (segment, &mut tail) {
                (TemplateSegment::Literal(text), Some(tail)) => {
                    tail.push(b'/');
                    tail.extend_from_slice(text.as_bytes());
                }
                (TemplateSegment::Literal(text), None) => before.push(Some(text.as_bytes().into())),
                (TemplateSegment::One, _) => before.push(None),
                (TemplateSegment::Many, _) => tail = Some(Vec::new()),
            }
        }
        Self { segments: before.into(), tail: tail.map(Into::into) }
    }

    /// Whether the whole of `path` (without query) fits.
    pub fn matches(&self, path: &[u8]) -> bool {
        let mut rest = Some(path);
        for wanted in &self.segments {
            let Some((segment, after)) = rest.and_then(first_segment) else { return false };
            let fits = match wanted {
                Some(literal) => **literal == *segment,
                None => !segment.is_empty() && segment.iter().all(is_path_character),
            };
            if !fits {
                return false;
            }
            rest = after;
        }
        match (&self.tail, rest) {
            (None, rest) => rest.is_none(),
            (Some(_), None) => false,
            (Some(tail), Some(rest)) => rest
                .strip_prefix(b"/")
                .and_then(|rest| rest.strip_suffix(&**tail))
                .is_some_and(|covered| covered.iter().all(|byte| *byte == b'/' || is_path_character(byte))),
        }
    }

    /// What every matching path begins with: the literal segments in front, and the slash before the first operator.
    pub fn literal_prefix(&self) -> Vec<u8> {
        let mut prefix = Vec::new();
        for segment in &self.segments {
            prefix.push(b'/');
            let Some(literal) = segment else { return prefix };
            prefix.extend_from_slice(literal);
        }
        prefix.extend(self.tail.as_ref().map(|_| b'/'));
        prefix
    }
}

/// Splits `/segment` off; what remains begins with a slash, or there is nothing left.
fn first_segment(path: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    let path = path.strip_prefix(b"/")?;
    match path.iter().position(|byte| *byte == b'/') {
        Some(slash) => path.split_at_checked(slash).map(|(segment, rest)| (segment, Some(rest))),
        None => Some((path, None)),
    }
}

/// What the operators cover in Envoy 1.40 (measured byte by byte): a `pchar` of RFC 3986. Any other byte, such as one
/// beyond ASCII, makes the template not match.
fn is_path_character(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;:@=".contains(byte)
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn template(text: &str) -> Template {
        let segments: Vec<_> = text
            .split('/')
            .skip(1)
            .map(|segment| match segment {
                "{*}" => TemplateSegment::One,
                "{**}" => TemplateSegment::Many,
                literal => TemplateSegment::Literal(literal.to_owned()),
            })
            .collect();
        Template::new(&segments)
    }

    #[test]
    fn one_and_many_segments() {
        for (text, path, expected) in [
            ("/{*}", &b"/a"[..], true),
            ("/{*}", b"/", false),
            ("/{*}", b"/a/b", false),
            ("/{*}", b"/a/", false),
            ("/a/{*}/c", b"/a/b/c", true),
            ("/a/{*}/c", b"/a//c", false),
            ("/a/{*}/c", b"/a/b/b/c", false),
            ("/a/{*}/c", b"/a/c", false),
            ("/a/{*}/", b"/a/b/", true),
            ("/a/{*}/", b"/a/b", false),
            ("/{*}/{*}", b"/a/b", true),
            ("/allow/{**}", b"/allow/", true),
            ("/allow/{**}", b"/allow/a/b", true),
            ("/allow/{**}", b"/allow//", true),
            ("/allow/{**}", b"/allow", false),
            ("/{**}", b"/", true),
            ("/{**}", b"", false),
            ("/{**}", b"a", false),
            ("/store/{**}/cart", b"/store/a/b/cart", true),
            ("/store/{**}/cart", b"/store//cart", true),
            ("/store/{**}/cart", b"/store/cart", false),
            ("/store/{**}/cart", b"/store/a/cart/", false),
            ("/store/{**}/cart", b"/store/a/acart", false),
            ("/store/{*}/x/{**}/a/b", b"/store/1/x/2/3/a/b", true),
            ("/store/{*}/x/{**}/a/b", b"/store/1/y/2/3/a/b", false),
        ] {
            assert_eq!(template(text).matches(path), expected, "{text} on {}", path.escape_ascii());
        }
    }

    #[test]
    fn characters_that_envoy_does_not_cover() {
        for (path, expected) in [
            (&b"/a/%41-._~!$&'()+,;:@/c"[..], true),
            (b"/a/b|c/c", false),
            (b"/a/b*/c", true),
            (b"/a/b=c/c", true),
            (b"/a/\xff/c", false),
        ] {
            assert_eq!(template("/a/{*}/c").matches(path), expected, "{}", path.escape_ascii());
            assert_eq!(template("/a/{**}").matches(path), expected, "{}", path.escape_ascii());
        }
    }

    #[test]
    fn the_literal_prefix_ends_before_the_first_operator() {
        assert_eq!(template("/a/b/{*}/c").literal_prefix(), b"/a/b/");
        assert_eq!(template("/a/{**}").literal_prefix(), b"/a/");
        assert_eq!(template("/{**}").literal_prefix(), b"/");
        assert_eq!(template("/{*}").literal_prefix(), b"/");
    }
}
