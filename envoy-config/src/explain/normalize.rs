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
        PathNormalization::DecodeAndMergeSlashes => merge_slashes(&canonical(&unescape_slashes(path))),
    };
    Ok(path + query)
}

/// Envoy's `normalize_path`: `\` is `/`, unreserved characters are decoded, dot segments resolved, and what a URL can't
/// have is encoded.
fn canonical(path: &str) -> String {
    let slashes = unescape(&without_dot_parameters(path)).replace('\\', "/");
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

/// Dot segments without the parameters behind them: `..` of `..;a=b`. Envoy looks for them in the path as it is sent,
/// between slashes that are no backslashes, and with dots that are not encoded.
fn without_dot_parameters(path: &str) -> String {
    let segments = path.split('/').map(|segment| match segment.split_once(';') {
        Some((dots @ ("." | ".."), _)) => dots,
        _ => segment,
    });
    segments.collect::<Vec<_>>().join("/")
}

/// Decodes unreserved characters, once, and encodes what a URL can't have. A `%` that is no escape stays, unless what is
/// decoded behind it would make it one: then it is `%25`.
fn unescape(path: &str) -> String {
    let mut unescaped = String::with_capacity(path.len());
    let mut stray = None;
    let mut rest = path;
    while let Some(letter) = rest.chars().next() {
        let mut after = rest.get(letter.len_utf8()..).unwrap_or_default();
        match (letter, escape(rest)) {
            ('%', Some(byte)) => {
                after = rest.get(3..).unwrap_or_default();
                match is_unreserved(byte) {
                    true => {
                        unescaped.push(char::from(byte));
                        if stray.is_some_and(|at| becomes_escape(&unescaped, at, after)) {
                            unescaped.insert_str(stray.map_or(0, |at| at + 1), "25");
                        }
                    }
                    false => unescaped.push_str(rest.get(..3).unwrap_or_default()),
                }
            }
            ('%', None) => {
                stray = Some(unescaped.len());
                unescaped.push('%');
            }
            ('"' | '<' | '>' | '^' | '`' | '{' | '|' | '}', _) => {
                unescaped.push_str(&format!("%{:02X}", u32::from(letter)));
            }
            _ => unescaped.push(letter),
        }
        rest = after;
    }
    unescaped
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Whether the `%` at `stray` is an escape now, by the letter that was decoded last, and perhaps the one to come.
fn becomes_escape(unescaped: &str, stray: usize, after: &str) -> bool {
    let tail = unescaped.get(stray..).unwrap_or_default();
    match tail.len() {
        2 => escape(&format!("{tail}{}", after.chars().next().unwrap_or_default())).is_some(),
        3 => escape(tail).is_some(),
        _ => false,
    }
}

/// The byte that `%xx` at the beginning stands for.
fn escape(text: &str) -> Option<u8> {
    let hex = text.strip_prefix('%')?.get(..2)?;
    hex.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u8::from_str_radix(hex, 16).ok()).flatten()
}

/// Decodes slashes of both kinds.
fn unescape_slashes(path: &str) -> String {
    let slashes = path.replace("%2f", "/").replace("%2F", "/");
    slashes.replace("%5c", "\\").replace("%5C", "\\")
}

/// Envoy joins what is not empty, between the slash at the beginning and the one at the end: of slashes alone two remain.
fn merge_slashes(path: &str) -> String {
    if path.len() > 1 && path.bytes().all(|byte| byte == b'/') {
        return "//".to_owned();
    }
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

    /// What Envoy 1.40 made of these with `normalize_path`, and with `merge_slashes` and `UNESCAPE_AND_FORWARD` besides.
    #[test]
    fn odd_paths_are_what_envoy_makes_of_them() {
        for (path, base, merged, decoded) in [
            ("/!$&'()*+,-.:;=@[]_~", "/!$&'()*+,-.:;=@[]_~", "/!$&'()*+,-.:;=@[]_~", "/!$&'()*+,-.:;=@[]_~"),
            (
                r#"/"<>^`{|}"#,
                "/%22%3C%3E%5E%60%7B%7C%7D",
                "/%22%3C%3E%5E%60%7B%7C%7D",
                "/%22%3C%3E%5E%60%7B%7C%7D",
            ),
            ("/%7c%22%5e", "/%7c%22%5e", "/%7c%22%5e", "/%7c%22%5e"),
            (
                "/%20%21%2b%2c%3b%40%5b%7f%80",
                "/%20%21%2b%2c%3b%40%5b%7f%80",
                "/%20%21%2b%2c%3b%40%5b%7f%80",
                "/%20%21%2b%2c%3b%40%5b%7f%80",
            ),
            ("/%41%5a%39%2d%2e%5f%7e", "/AZ9-._~", "/AZ9-._~", "/AZ9-._~"),
            ("/x/..;/admin", "/admin", "/admin", "/admin"),
            ("/x/.;a/b", "/x/b", "/x/b", "/x/b"),
            ("/x/..;a=b/c", "/c", "/c", "/c"),
            ("/x/..;;/c", "/c", "/c", "/c"),
            ("/x/.;", "/x/", "/x/", "/x/"),
            ("/x/..;b?c", "/?c", "/?c", "/?c"),
            ("/a/..;../b", "/b", "/b", "/b"),
            ("/a/b/.;/..;/c", "/a/c", "/a/c", "/a/c"),
            ("/x/...;/c", "/x/...;/c", "/x/...;/c", "/x/...;/c"),
            ("/x/%2e%2e;/c", "/x/..;/c", "/x/..;/c", "/x/..;/c"),
            ("/x/%2e;/c", "/x/.;/c", "/x/.;/c", "/x/.;/c"),
            ("/x/..%3B/c", "/x/..%3B/c", "/x/..%3B/c", "/x/..%3B/c"),
            (r"/x\..;\c", "/x/..;/c", "/x/..;/c", "/x/..;/c"),
            (r"/x/..;\c", "/", "/", "/"),
            (r"/x\..\c", "/c", "/c", "/c"),
            ("/x/..;a%2fb/c", "/c", "/c", "/b/c"),
            ("/x%5c..;/c", "/x%5c..;/c", "/x%5c..;/c", "/x/..;/c"),
            ("/x%2f..;/c", "/x%2f..;/c", "/x%2f..;/c", "/c"),
            ("/.;a//b", "//b", "/b", "/b"),
            ("//..;//a", "//a", "/a", "/a"),
            ("/a//b/../..//c", "/a//c", "/a/c", "/a/c"),
            ("/a/b/../../..//", "//", "//", "//"),
            ("//.", "//", "//", "//"),
            ("/%5C", "/%5C", "/%5C", "//"),
            ("///?a", "///?a", "//?a", "//?a"),
            ("/%2e%2f%2e%2e", "/.%2f..", "/.%2f..", "/"),
            ("/a%2f%5c/b", "/a%2f%5c/b", "/a%2f%5c/b", "/a/b"),
            ("/%", "/%", "/%", "/%"),
            ("/%2", "/%2", "/%2", "/%2"),
            ("/%+f", "/%+f", "/%+f", "/%+f"),
            ("/%%41", "/%A", "/%A", "/%A"),
            ("/%4%31", "/%2541", "/%2541", "/%2541"),
            ("/%2%66", "/%252f", "/%252f", "/%252f"),
            ("/%25%34%31", "/%2541", "/%2541", "/%2541"),
            ("/http://a/../b", "/http://b", "/http:/b", "/http:/b"),
        ] {
            for (how, expected) in
                [(None, path), (Base, base), (MergeSlashes, merged), (DecodeAndMergeSlashes, decoded)]
            {
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
