//! HTTPRewrite: the path that is sent upstream.

use outrigger_api::types::virtual_service::RewritePath;

use super::path_match::PathMatch;
use crate::matching::regex::{Groups, Search, compile_search};

/// A compiled path rewrite. The query is always kept.
#[derive(Debug)]
pub(super) enum PathRewrite {
    /// Envoy's `prefix_rewrite`: in place of the prefix that matched, or of the whole path after an exact or regex
    /// match. A rule without a `uri` matches by the prefix `/`.
    Uri(Box<[u8]>),
    /// Envoy's `regex_rewrite`: every match in the path is replaced.
    Regex {
        /// What is looked for.
        pattern: Box<Search>,
        /// What is put there.
        replacement: Vec<Part>,
    },
}

/// A part of the replacement for a regex's match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// As it stands.
    Text(Vec<u8>),
    /// What a group has matched, `\0` being the whole match.
    Group(usize),
}

impl PathRewrite {
    /// Compiles Istio's `rewrite.uri` or `rewrite.uriRegexRewrite`.
    ///
    /// # Errors
    /// A sentence on what is wrong with the regex or its replacement.
    pub(super) fn new(rewrite: &RewritePath) -> Result<Self, String> {
        match rewrite {
            RewritePath::Uri(uri) => Ok(Self::Uri(uri.as_bytes().into())),
            RewritePath::Regex { pattern, rewrite } => {
                let pattern = compile_search(pattern.as_str()).map_err(|error| error.to_string())?;
                let replacement = parts(rewrite, pattern.groups())?;
                Ok(Self::Regex { pattern: Box::new(pattern), replacement })
            }
        }
    }

    /// The new path of a request that `matched`, with its query.
    pub(super) fn apply(&self, matched: &PathMatch, path: &[u8], path_and_query: &[u8]) -> Vec<u8> {
        let query = path_and_query.get(path.len()..).unwrap_or_default();
        match self {
            Self::Uri(uri) => {
                let kept = path.get(matched.replaced_by_rewrite(path)..).unwrap_or_default();
                [uri, kept, query].concat()
            }
            Self::Regex { pattern, replacement } => {
                let mut rewritten = pattern.replace_all(path, |groups| substitute(replacement, groups));
                // As in Envoy: there is no empty path.
                if rewritten.is_empty() {
                    rewritten.extend_from_slice(path);
                }
                rewritten.extend_from_slice(query);
                rewritten
            }
        }
    }
}

fn substitute(replacement: &[Part], groups: &Groups<'_>) -> Vec<u8> {
    let mut text = Vec::new();
    for part in replacement {
        match part {
            Part::Text(bytes) => text.extend_from_slice(bytes),
            Part::Group(group) => {
                text.extend_from_slice(groups.get(*group));
            }
        }
    }
    text
}

/// Reads RE2's replacement syntax: `\0` to `\9` are groups, `\\` is a backslash, nothing else may be escaped.
fn parts(rewrite: &str, groups: usize) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut text = Vec::new();
    let mut bytes = rewrite.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            text.push(byte);
            continue;
        }
        match bytes.next() {
            Some(b'\\') => text.push(b'\\'),
            Some(digit @ b'0'..=b'9') => {
                let group = usize::from(digit - b'0');
                if group >= groups {
                    let last = groups.saturating_sub(1);
                    return Err(format!("`\\{group}` names no group: the regex has {last}"));
                }
                parts.push(Part::Text(std::mem::take(&mut text)));
                parts.push(Part::Group(group));
            }
            _ => return Err(format!("`{rewrite}` has a backslash before something other than a digit")),
        }
    }
    parts.push(Part::Text(text));
    parts.retain(|part| !matches!(part, Part::Text(text) if text.is_empty()));
    Ok(parts)
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn rewritten(rewrite: &PathRewrite, matched: &PathMatch, path_and_query: &str) -> String {
        let path = path_and_query.split('?').next().unwrap();
        String::from_utf8(rewrite.apply(matched, path.as_bytes(), path_and_query.as_bytes())).unwrap()
    }

    #[test]
    fn a_prefix_is_replaced_as_text() {
        for (prefix, uri, path, expected) in [
            ("/myapp", "/", "/myapp", "/"),
            ("/myapp/", "/", "/myapp/a?b=/myapp/", "/a?b=/myapp/"),
            ("/p", "/", "/p/x", "//x"),
            ("/x/", "/y", "/x/a", "/ya"),
            ("/", "/new", "/foo", "/newfoo"),
            ("/a", "/b", "/aa", "/ba"),
        ] {
            let matched = PathMatch::prefix(prefix.as_bytes(), false);
            let rewrite = PathRewrite::Uri(uri.as_bytes().into());
            assert_eq!(rewritten(&rewrite, &matched, path), expected);
        }
    }

    #[test]
    fn after_an_exact_match_the_whole_path_is_replaced() {
        let rewrite = PathRewrite::Uri(b"/new"[..].into());
        assert_eq!(rewritten(&rewrite, &PathMatch::exact(b"/a/b", true), "/A/b?q"), "/new?q");
    }

    #[test]
    fn regex_groups_are_filled_in() {
        for (pattern, replacement, path, expected) in [
            (
                "^/service/([^/]+)(/.*)$",
                r"\2/instance/\1",
                "/service/foo/v1/api?q=1",
                "/v1/api/instance/foo?q=1",
            ),
            ("one", "two", "/xxx/one/yyy/one/zzz", "/xxx/two/yyy/two/zzz"),
            ("(?i)/xxx/", r"/yyy\\/", "/aaa/XxX/bbb", r"/aaa/yyy\/bbb"),
            ("/(a)?b", r"[\1\0]", "/b", "[/b]"),
            ("nothing", "x", "/a?nothing", "/a?nothing"),
        ] {
            let pattern = compile_search(pattern).unwrap();
            let replacement = parts(replacement, pattern.groups()).unwrap();
            let rewrite = PathRewrite::Regex { pattern: Box::new(pattern), replacement };
            assert_eq!(rewritten(&rewrite, &PathMatch::prefix(b"/", false), path), expected);
        }
    }

    #[test]
    fn replacements_that_re2_refuses_are_refused() {
        assert_eq!(parts(r"\2", 2).unwrap_err(), "`\\2` names no group: the regex has 1");
        assert!(parts(r"\x", 2).is_err());
        assert!(parts("\\", 2).is_err());
    }
}
