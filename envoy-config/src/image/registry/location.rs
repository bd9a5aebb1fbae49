//! Where a registry sends us on: `Location` is any reference of RFC 3986, resolved against the address of the request.

/// The address that `reference` means in an answer from `base`, which is absolute.
pub(super) fn resolved(base: &str, reference: &str) -> String {
    let reference = reference.split('#').next().unwrap_or_default();
    if has_scheme(reference) {
        return reference.to_owned();
    }
    let (scheme, rest) = base.split_once("://").unwrap_or(("http", base));
    if let Some(rest) = reference.strip_prefix("//") {
        return format!("{scheme}://{rest}");
    }
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, old) = rest.split_at(end);
    let (old_path, _) = parted(old);
    let (path, query) = parted(reference);
    let (path, query) = if path.is_empty() {
        (old_path.to_owned(), if query.is_empty() { parted(old).1 } else { query })
    } else if path.starts_with('/') {
        (without_dots(path), query)
    } else {
        let folder = old_path.rfind('/').map_or("", |at| old_path.split_at(at).0);
        (without_dots(&format!("{folder}/{path}")), query)
    };
    format!("{scheme}://{authority}{path}{query}")
}

/// `a:b` names a scheme, and `a/b:c` does not.
fn has_scheme(reference: &str) -> bool {
    let before = reference.split(['/', '?']).next().unwrap_or_default();
    before.contains(':')
}

/// Path, and query with its question mark.
fn parted(text: &str) -> (&str, &str) {
    text.split_at(text.find('?').unwrap_or(text.len()))
}

/// A path from the root, its `.` and `..` carried out.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/').skip(1) {
        match segment {
            "." => {}
            ".." => drop(kept.pop()),
            other => kept.push(other),
        }
    }
    let is_folder = path.ends_with("/.") || path.ends_with("/..");
    format!("/{}{}", kept.join("/"), if is_folder && !kept.is_empty() { "/" } else { "" })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    // Among them those of RFC 3986, 5.4, that have a meaning here.
    #[rstest]
    #[case("https://b:1/x?y=a%2Fb", "https://b:1/x?y=a%2Fb")]
    #[case("//g", "http://g")]
    #[case("/g", "http://a/g")]
    #[case("/g?x=1", "http://a/g?x=1")]
    #[case("g", "http://a/b/c/g")]
    #[case("./g", "http://a/b/c/g")]
    #[case("g/", "http://a/b/c/g/")]
    #[case("g?state=a:b/c", "http://a/b/c/g?state=a:b/c")]
    #[case("?y", "http://a/b/c/d;p?y")]
    #[case("", "http://a/b/c/d;p?q")]
    #[case("g#s", "http://a/b/c/g")]
    #[case(".", "http://a/b/c/")]
    #[case("..", "http://a/b/")]
    #[case("../g", "http://a/b/g")]
    #[case("../../g", "http://a/g")]
    #[case("../../../g", "http://a/g")]
    #[case("/./g", "http://a/g")]
    #[case("./g/.", "http://a/b/c/g/")]
    #[case("g;x=1/../y", "http://a/b/c/y")]
    #[case("g?y/../x", "http://a/b/c/g?y/../x")]
    #[case("mailto:g", "mailto:g")]
    fn a_reference_is_resolved(#[case] reference: &str, #[case] wanted: &str) {
        assert_eq!(resolved("http://a/b/c/d;p?q", reference), wanted);
    }

    #[test]
    fn an_address_without_a_path_has_the_root() {
        assert_eq!(resolved("http://a", "g"), "http://a/g");
        assert_eq!(resolved("http://a?q", "g"), "http://a/g");
        assert_eq!(
            resolved("https://a:5000/v2/x/blobs/uploads/", "u1?state=a"),
            "https://a:5000/v2/x/blobs/uploads/u1?state=a"
        );
    }
}
