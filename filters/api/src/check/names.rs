//! Host names, labels, and names made like them.

/// A label of a DNS name: letters, digits and inner hyphens, at most 63.
pub(crate) fn dns_label(text: &str) -> Result<(), String> {
    if is_label(text) {
        Ok(())
    } else {
        Err("is not a DNS label (letters, digits and inner hyphens, at most 63)".to_owned())
    }
}

fn is_label(text: &str) -> bool {
    let edge = |letter: Option<&u8>| letter.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    bytes.len() <= 63
        && edge(bytes.first())
        && edge(bytes.last())
        && bytes.iter().all(|letter| letter.is_ascii_alphanumeric() || *letter == b'-')
}

/// A full or short host name without a wildcard.
///
/// # Errors
/// What is wrong, to be said after the text.
pub fn host(text: &str) -> Result<(), String> {
    length(text)?;
    labels(text)
}

/// A host name whose first label may be, or begin with, a star.
pub(crate) fn wildcard_host(text: &str) -> Result<(), String> {
    length(text)?;
    let (first, rest) = text.split_once('.').map_or((text, None), |(first, rest)| (first, Some(rest)));
    let bare = first.strip_prefix("*-").or_else(|| first.strip_prefix('*')).unwrap_or(first);
    if !(is_label(bare) || first == "*") {
        return Err(bad_label(first));
    }
    rest.map_or(Ok(()), labels)
}

/// A host name or an IP address.
pub(crate) fn host_or_ip(text: &str) -> Result<(), String> {
    if super::ip::address(text).is_ok() { Ok(()) } else { host(text) }
}

/// A wildcard host name or an IP address.
pub(crate) fn wildcard_host_or_ip(text: &str) -> Result<(), String> {
    if super::ip::address(text).is_ok() { Ok(()) } else { wildcard_host(text) }
}

/// A star may stand for whole labels only: `*.example.com`, not `*example.com`.
pub(crate) fn is_partial_wildcard(text: &str) -> bool {
    text.contains('*') && text != "*" && !text.starts_with("*.")
}

fn length(text: &str) -> Result<(), String> {
    match text.len() {
        0 => Err("is empty: a host name must not be".to_owned()),
        1..=255 => Ok(()),
        _ => Err("is longer than 255 characters".to_owned()),
    }
}

/// Istio's rule: the last label is not a number, and may be empty.
fn labels(text: &str) -> Result<(), String> {
    let name = text.strip_suffix('.').unwrap_or(text);
    if name.rsplit('.').next().is_some_and(|last| last.parse::<i64>().is_ok()) && name == text {
        return Err("is not a host name: its last label is a number".to_owned());
    }
    name.split('.').find(|label| !is_label(label)).map_or(Ok(()), |label| Err(bad_label(label)))
}

fn bad_label(label: &str) -> String {
    match label {
        "" => "is not a host name: there is nothing between two dots, or beside one".to_owned(),
        _ if label.contains("//") => "is a URL, not a host name".to_owned(),
        _ if label.contains(':') => "is not a host name: it has a port".to_owned(),
        _ if label.contains('*') => {
            "is not a host name: a `*` can only stand in front, for whole labels".to_owned()
        }
        _ => format!("is not a host name: `{label}` is no label of one"),
    }
}

/// The name of a resource: lower case, with inner hyphens and dots.
pub(crate) fn resource_name(text: &str) -> Result<(), String> {
    let edge = |letter: Option<&u8>| letter.is_some_and(u8::is_ascii_alphanumeric);
    let good =
        |letter: &u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || matches!(letter, b'-' | b'.');
    let bytes = text.as_bytes();
    if edge(bytes.first()) && edge(bytes.last()) && bytes.len() <= 253 && bytes.iter().all(good) {
        Ok(())
    } else {
        Err("is not the name of a resource (lower-case letters, digits, inner `-` and `.`)".to_owned())
    }
}

/// A key of Kubernetes' labels: `[prefix/]name`.
///
/// # Errors
/// What is wrong, to be said after the text.
pub fn label_key(text: &str) -> Result<(), String> {
    let (prefix, name) = text.split_once('/').map_or((None, text), |(prefix, name)| (Some(prefix), name));
    let good = is_tag(name) && prefix.is_none_or(|prefix| host(prefix).is_ok());
    if good { Ok(()) } else { Err("is not the key of a label".to_owned()) }
}

/// A value of Kubernetes' labels.
///
/// # Errors
/// What is wrong, to be said after the text.
pub fn label_value(text: &str) -> Result<(), String> {
    if text.is_empty() || is_tag(text) {
        Ok(())
    } else {
        Err("is not the value of a label (letters, digits, inner `-`, `_` and `.`, at most 63)".to_owned())
    }
}

fn is_tag(text: &str) -> bool {
    let edge = |letter: Option<&u8>| letter.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    bytes.len() <= 63
        && edge(bytes.first())
        && edge(bytes.last())
        && bytes.iter().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn hosts() {
        let long = "a".repeat(64);
        for (text, plain, wildcard) in [
            ("reviews", true, true),
            ("reviews.default.svc.cluster.local", true, true),
            ("istio.io.", true, true),
            ("Upper.Case", true, true),
            ("*", false, true),
            ("*.example.com", false, true),
            ("*foo.com", false, true),
            ("*-foo.com", false, true),
            ("*-", false, false),
            ("a.*.com", false, false),
            ("a*.com", false, false),
            ("**", false, false),
            ("", false, false),
            (".", false, false),
            ("a..b", false, false),
            ("-a.com", false, false),
            ("a-.com", false, false),
            ("a_b.com", false, false),
            ("a b.com", false, false),
            ("a.com:80", false, false),
            ("a/b", false, false),
            ("10.0.0.1", false, false),
            ("a.123", false, false),
            ("é.com", false, false),
            (long.as_str(), false, false),
        ] {
            assert_eq!(host(text).is_ok(), plain, "{text}");
            assert_eq!(wildcard_host(text).is_ok(), wildcard, "{text}");
        }
    }

    #[test]
    fn addresses_beside_hosts() {
        for (text, good) in [("10.0.0.1", true), ("::1", true), ("a.b", true), ("10.0.0", false)] {
            assert_eq!(host_or_ip(text).is_ok(), good, "{text}");
            assert_eq!(wildcard_host_or_ip(text).is_ok(), good, "{text}");
        }
    }

    #[test]
    fn labels_of_workloads() {
        for (text, key, value) in [
            ("version", true, true),
            ("app.kubernetes.io/name", true, false),
            ("", false, true),
            ("v1.2_3", true, true),
            ("-v1", false, false),
            ("v1-", false, false),
            ("a/b/c", false, false),
            ("a b", false, false),
            ("*", false, false),
        ] {
            assert_eq!(label_key(text).is_ok(), key, "{text}");
            assert_eq!(label_value(text).is_ok(), value, "{text}");
        }
    }
}
