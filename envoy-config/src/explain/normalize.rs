//! Paths as Envoy's HTTP connection manager hands them to the filters.

use crate::mesh_config::PathNormalization;

/// Envoy answers 400: the path holds a NUL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BadPath;

/// Normalises `path`, which may have a query; the query is left as it is.
///
/// # Errors
/// The path holds an encoded or raw NUL.
pub(super) fn normalize(path: &str, how: PathNormalization) -> Result<String, BadPath> {
    let (path, query) = path.split_at_checked(path.find('?').unwrap_or(path.len())).unwrap_or((path, ""));
    if path.contains('\0') || how != PathNormalization::None && path.contains("%00") {
        return Err(BadPath);
    }
    let path = match how {
        PathNormalization::None => path.to_owned(),
        PathNormalization::Base => canonical(path),
        PathNormalization::MergeSlashes => merge_slashes(&canonical(path)),
        PathNormalization::DecodeAndMergeSlashes => merge_slashes(&canonical(&decode(path, is_slash))),
    };
    Ok(path + query)
}

/// Envoy's `normalize_path`: `\` is `/`, unreserved characters are decoded, dot segments resolved.
fn canonical(path: &str) -> String {
    let decoded =
        decode(path, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~'));
    let slashes = decoded.replace('\\', "/");
    let mut segments: Vec<&str> = Vec::new();
    let mut parts = slashes.strip_prefix('/').unwrap_or(&slashes).split('/').peekable();
    while let Some(part) = parts.next() {
        match part {
            "." | ".." => {
                if part == ".." {
                    segments.pop();
                }
                // The slash before a last dot segment stays.
                if parts.peek().is_none() {
                    segments.push("");
                }
            }
            _ => segments.push(part),
        }
    }
    format!("/{}", segments.join("/"))
}

/// Replaces `%xx` by the byte it stands for, where `wanted`.
fn decode(path: &str, wanted: impl Fn(u8) -> bool) -> String {
    let mut decoded = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(at) = rest.find('%') {
        let (before, escape) = rest.split_at_checked(at).unwrap_or((rest, ""));
        decoded.push_str(before);
        let byte = escape.get(1..3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match byte.filter(|byte| byte.is_ascii() && wanted(*byte)) {
            Some(byte) => {
                decoded.push(char::from(byte));
                rest = escape.get(3..).unwrap_or_default();
            }
            None => {
                decoded.push('%');
                rest = escape.get(1..).unwrap_or_default();
            }
        }
    }
    decoded + rest
}

fn is_slash(byte: u8) -> bool {
    matches!(byte, b'/' | b'\\')
}

fn merge_slashes(path: &str) -> String {
    let mut merged = String::with_capacity(path.len());
    for letter in path.chars() {
        if letter != '/' || !merged.ends_with('/') {
            merged.push(letter);
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use PathNormalization::{Base, DecodeAndMergeSlashes, MergeSlashes, None};

    #[test]
    fn istios_table_holds() {
        let all = [None, Base, MergeSlashes, DecodeAndMergeSlashes];
        for (path, expected) in [
            (r"/a\b", [r"/a\b", "/a/b", "/a/b", "/a/b"]),
            ("/a/./b/../c", ["/a/./b/../c", "/a/c", "/a/c", "/a/c"]),
            ("/../../a", ["/../../a", "/a", "/a", "/a"]),
            ("/a/.../b", ["/a/.../b", "/a/.../b", "/a/.../b", "/a/.../b"]),
            ("/a/b/..", ["/a/b/..", "/a/", "/a/", "/a/"]),
            ("/a/.", ["/a/.", "/a/", "/a/", "/a/"]),
            ("//a///b", ["//a///b", "//a///b", "/a/b", "/a/b"]),
            ("/a%2f%5Cb", ["/a%2f%5Cb", "/a%2f%5Cb", "/a%2f%5Cb", "/a/b"]),
            ("/%2e%2E/%61%7e", ["/%2e%2E/%61%7e", "/a~", "/a~", "/a~"]),
            ("/%c3%A9%zz%", ["/%c3%A9%zz%", "/%c3%A9%zz%", "/%c3%A9%zz%", "/%c3%A9%zz%"]),
            (
                "/a;b=../c?x=/../y",
                ["/a;b=../c?x=/../y", "/a;b=../c?x=/../y", "/a;b=../c?x=/../y", "/a;b=../c?x=/../y"],
            ),
        ] {
            for (how, expected) in all.into_iter().zip(expected) {
                assert_eq!(normalize(path, how).as_deref(), Ok(expected), "{path} {how:?}");
            }
        }
    }

    #[test]
    fn a_nul_is_refused() {
        assert_eq!(normalize("/a%00b", Base), Err(BadPath));
        assert_eq!(normalize("/a\0b", None), Err(BadPath));
        assert_eq!(normalize("/a?%00", Base).as_deref(), Ok("/a?%00"));
    }
}
