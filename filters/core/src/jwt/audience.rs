//! The check of `aud`.

use crate::matching::ByteSet;

/// The audiences of a rule. Envoy leaves out `http://`, `https://` and one `/` at the end on both sides.
#[derive(Debug, Clone, Default)]
pub(crate) struct Audiences(ByteSet);

impl Audiences {
    /// Those that `names` allows.
    pub(crate) fn new(names: &[String]) -> Self {
        let mut known = ByteSet::default();
        names.iter().for_each(|name| known.insert(normalized(name).as_bytes().into(), ()));
        Self(known)
    }

    /// Whether a token for `audiences` is allowed: one of them fits, or the rule names none.
    pub(crate) fn allow<'a>(&self, mut audiences: impl Iterator<Item = &'a str>) -> bool {
        self.0.is_empty() || audiences.any(|name| self.0.contains(normalized(name).as_bytes()))
    }
}

fn normalized(audience: &str) -> &str {
    let bare = audience.strip_prefix("http://").or_else(|| audience.strip_prefix("https://"));
    let bare = bare.unwrap_or(audience);
    bare.strip_suffix('/').unwrap_or(bare)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn scheme_and_last_slash_do_not_count() {
        for (rule, token, allowed) in [
            (&["a"][..], &["a"][..], true),
            (&["https://a"], &["http://a/"], true),
            (&["a/"], &["a"], true),
            (&["a"], &["a//"], false),
            (&["a"], &["b", "a"], true),
            (&["a"], &["A"], false),
            (&["a", "b"], &["c"], false),
            (&["a"], &[], false),
            (&[], &[], true),
            (&[], &["c"], true),
        ] {
            let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
            assert_eq!(
                Audiences::new(&own(rule)).allow(token.iter().copied()),
                allowed,
                "{rule:?} {token:?}"
            );
        }
    }
}
