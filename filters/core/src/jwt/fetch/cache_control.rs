//! How long an answer is fresh (RFC 9111 section 5.2.2).

use std::time::Duration;

/// What a `cache-control` header says: `max-age`, or no time at all for `no-cache` and `no-store`. `None`: it says
/// nothing of this.
pub fn max_age(value: &[u8]) -> Option<Duration> {
    let value = std::str::from_utf8(value).ok()?.to_ascii_lowercase();
    let directives = || value.split(',').map(str::trim);
    if directives().any(|directive| matches!(directive, "no-cache" | "no-store")) {
        return Some(Duration::ZERO);
    }
    let seconds = directives().find_map(|directive| directive.strip_prefix("max-age="))?;
    seconds.trim_matches('"').parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn directives() {
        for (value, seconds) in [
            (&b"max-age=300"[..], Some(300)),
            (b"public, Max-Age=19845, must-revalidate, no-transform", Some(19_845)),
            (b"max-age=\"60\"", Some(60)),
            (b"max-age=60, no-cache", Some(0)),
            (b"No-Store", Some(0)),
            (b"s-maxage=5", None),
            (b"max-age=-1", None),
            (b"max-age=x", None),
            (b"\xff", None),
            (b"", None),
        ] {
            assert_eq!(max_age(value), seconds.map(Duration::from_secs), "{value:?}");
        }
    }
}
