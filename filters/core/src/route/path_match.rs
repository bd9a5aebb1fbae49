//! `match.uri`, compiled.

use std::borrow::Cow;

use outrigger_api::types::common::StringMatch;

use crate::matching::index::{Key, Subject, Test};
use crate::matching::regex::{Regex, compile};

/// What a rule demands of the path, without its query.
#[derive(Debug)]
pub struct PathMatch {
    kind: Kind,
    ignore_case: bool,
}

#[derive(Debug)]
enum Kind {
    Exact(Box<[u8]>),
    Prefix(Box<[u8]>),
    Regex(Regex),
}

impl PathMatch {
    /// The whole path.
    pub fn exact(path: &[u8], ignore_case: bool) -> Self {
        Self { kind: Kind::Exact(path.into()), ignore_case }
    }

    /// How the path begins: plain text, so `/foo` also matches `/foobar`.
    pub fn prefix(prefix: &[u8], ignore_case: bool) -> Self {
        Self { kind: Kind::Prefix(prefix.into()), ignore_case }
    }

    /// A regex of the whole path; it never ignores case.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn regex(source: &str) -> Result<Self, String> {
        let regex = compile(source).map_err(|error| error.to_string())?;
        Ok(Self { kind: Kind::Regex(regex), ignore_case: false })
    }

    /// Compiles `uri` and `ignoreUriCase`. Without a `uri` the path must begin with a slash.
    ///
    /// # Errors
    /// As [`PathMatch::regex`].
    pub fn new(uri: Option<&StringMatch>, ignore_case: bool) -> Result<Self, String> {
        Ok(match uri {
            None | Some(StringMatch::Present) => Self::prefix(b"/", false),
            Some(StringMatch::Exact(path)) => Self::exact(path.as_bytes(), ignore_case),
            Some(StringMatch::Prefix(prefix)) => Self::prefix(prefix.as_bytes(), ignore_case),
            Some(StringMatch::Regex(source)) => Self::regex(source.as_str())?,
        })
    }

    /// Whether `path` (without its query) fits.
    pub fn matches(&self, path: &[u8]) -> bool {
        match (&self.kind, self.ignore_case) {
            (Kind::Exact(exact), false) => **exact == *path,
            (Kind::Exact(exact), true) => exact.eq_ignore_ascii_case(path),
            (Kind::Prefix(prefix), false) => path.starts_with(prefix),
            (Kind::Prefix(prefix), true) => {
                path.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
            }
            (Kind::Regex(regex), _) => regex.is_match(path),
        }
    }

    /// How many bytes of a matching `path` a rewrite replaces: the prefix, or all of it after any other match.
    pub fn replaced_by_rewrite(&self, path: &[u8]) -> usize {
        match &self.kind {
            Kind::Prefix(prefix) => prefix.len(),
            Kind::Exact(_) | Kind::Regex(_) => path.len(),
        }
    }

    /// Istio's idea of a path that every request has: the prefix `/` or the regex `.*`, written exactly so.
    pub fn is_catch_all(&self) -> bool {
        match &self.kind {
            Kind::Exact(_) => false,
            Kind::Prefix(prefix) => **prefix == *b"/",
            Kind::Regex(regex) => regex.source() == ".*",
        }
    }

    /// What the index files it under, as the `demand`th demand.
    pub fn key(&self, demand: usize) -> Key<'_> {
        let test = match &self.kind {
            Kind::Exact(path) => Test::Exact(self.folded(path)),
            Kind::Prefix(prefix) => Test::Prefix(self.folded(prefix)),
            Kind::Regex(regex) => Test::Regex(regex.source()),
        };
        let subject = if self.ignore_case { Subject::PathIgnoringCase } else { Subject::Path };
        Key { demand, subject, test }
    }

    fn folded<'t>(&self, text: &'t [u8]) -> Cow<'t, [u8]> {
        if self.ignore_case { text.to_ascii_lowercase().into() } else { text.into() }
    }
}

impl std::fmt::Display for PathMatch {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.kind {
            Kind::Exact(path) => write!(formatter, "exact `{}`", path.escape_ascii())?,
            Kind::Prefix(prefix) => write!(formatter, "prefix `{}`", prefix.escape_ascii())?,
            Kind::Regex(regex) => write!(formatter, "regex `{}`", regex.source())?,
        }
        formatter.write_str(if self.ignore_case { ", ignoring case" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn kinds_and_case() {
        for (matched, path, fits) in [
            (PathMatch::exact(b"/a", false), "/a", true),
            (PathMatch::exact(b"/a", false), "/A", false),
            (PathMatch::exact(b"/a", true), "/A", true),
            (PathMatch::exact(b"/a", true), "/ab", false),
            (PathMatch::prefix(b"/foo", false), "/foobar", true),
            (PathMatch::prefix(b"/foo", false), "/Foo", false),
            (PathMatch::prefix(b"/foo", true), "/FOO/x", true),
            (PathMatch::prefix(b"/foo", true), "/fo", false),
            (PathMatch::prefix(b"", false), "", true),
            (PathMatch::regex("/a|/ab").unwrap(), "/ab", true),
            (PathMatch::regex("/a").unwrap(), "/ab", false),
            (PathMatch::regex("/A").unwrap(), "/a", false),
            (PathMatch::new(None, false).unwrap(), "*", false),
            (PathMatch::new(None, false).unwrap(), "/anything", true),
            (PathMatch::new(Some(&StringMatch::Present), true).unwrap(), "/x", true),
        ] {
            assert_eq!(matched.matches(path.as_bytes()), fits, "{matched} on {path}");
        }
    }

    #[test]
    fn catch_alls_are_told_by_how_they_are_written() {
        assert!(PathMatch::new(None, false).unwrap().is_catch_all());
        assert!(PathMatch::prefix(b"/", false).is_catch_all());
        assert!(!PathMatch::prefix(b"", false).is_catch_all());
        assert!(!PathMatch::exact(b"/", false).is_catch_all());
        assert!(PathMatch::regex(".*").unwrap().is_catch_all());
        assert!(!PathMatch::regex(".+").unwrap().is_catch_all());
    }
}
