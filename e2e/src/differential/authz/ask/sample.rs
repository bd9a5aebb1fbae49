//! Texts that a value of a policy matches.

use super::Random;

/// What the value matches, with something of its own in the place of a star.
pub(super) fn text(random: &mut Random, value: &str, any: &[&str]) -> String {
    if value == "*" {
        random.pick(any).to_owned()
    } else if let Some(suffix) = value.strip_prefix('*') {
        format!("{}{suffix}", random.pick(&["", "x", "a", "www", "/x"]))
    } else if let Some(prefix) = value.strip_suffix('*') {
        format!("{prefix}{}", random.pick(&["", "x", "b", "/y", "in"]))
    } else {
        value.to_owned()
    }
}

/// A path that a value of `paths` matches.
pub(super) fn path(random: &mut Random, value: &str) -> Vec<u8> {
    let mut path = if value.contains('{') {
        let one = random.pick(&["b", "x.y", "%41", "a;b=c", "*", "", "b|c", "caf\u{e9}", "b@!$&'()+,:="]);
        let many = random.pick(&["", "b", "x/y", "/", "a//b", "b/c", "x|y", "c", "x/\u{e9}"]);
        value.replace("{**}", many).replace("{*}", one)
    } else {
        text(random, value, &["/", "/a", "/x/y.json"])
    };
    if !path.starts_with('/') {
        path.insert(0, '/');
    }
    let path = bytes(random, &path);
    // Envoy refuses what is not ASCII before any filter.
    if random.chance(95) { escaped(&path) } else { path }
}

/// With an escape for each byte that is not ASCII.
fn escaped(path: &[u8]) -> Vec<u8> {
    let escape = |byte: &u8| if byte.is_ascii() { vec![*byte] } else { format!("%{byte:02x}").into_bytes() };
    path.iter().flat_map(escape).collect()
}

/// `text` in UTF-8 or, where that is possible, in Latin-1.
pub(super) fn bytes(random: &mut Random, text: &str) -> Vec<u8> {
    let latin: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    latin.filter(|_| random.chance(50)).unwrap_or_else(|| text.as_bytes().to_vec())
}

/// An address in a block, mostly the one that names it.
pub(super) fn address(random: &mut Random, block: &str) -> String {
    let address = block.split('/').next().unwrap_or_default();
    match (address.rsplit_once('.'), random.below(4)) {
        (Some((start, _)), 0) => format!("{start}.{}", random.below(256)),
        _ => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_matched() {
        let mut random = Random::new(1, 1);
        for _ in 0..50 {
            assert!(text(&mut random, "a*", &[]).starts_with('a'));
            assert!(text(&mut random, "*a", &[]).ends_with('a'));
            assert_eq!(text(&mut random, "*", &["b"]), "b");
            assert!(path(&mut random, "/{*}/c").starts_with(b"/"));
            assert!(address(&mut random, "10.1.2.3/8").starts_with("10.1.2."));
            assert_eq!(address(&mut random, "::1"), "::1");
            assert_eq!(escaped(b"/\xe9a"), b"/%e9a");
        }
    }
}
