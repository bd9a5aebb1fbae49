//! Which of many host patterns covers a host best.

use outrigger_api::host::HostPattern;

use super::suffixes::Suffixes;
use super::{ByteMap, lower_case};

/// Values by host pattern, being filled.
#[derive(Debug)]
pub struct HostMapBuilder<V> {
    exact: ByteMap<V>,
    suffixes: ByteMap<V>,
    any: Option<V>,
}

impl<V> Default for HostMapBuilder<V> {
    fn default() -> Self {
        Self { exact: ByteMap::default(), suffixes: ByteMap::default(), any: None }
    }
}

impl<V> HostMapBuilder<V> {
    /// Gives `pattern` the value that `make` makes, unless it has one.
    pub fn insert_with(&mut self, pattern: &HostPattern, make: impl FnOnce() -> V) {
        let (map, text) = match pattern {
            HostPattern::Exact(name) => (&mut self.exact, name),
            HostPattern::Suffix(suffix) => (&mut self.suffixes, suffix),
            HostPattern::Any => {
                self.any.get_or_insert_with(make);
                return;
            }
        };
        map.place(text.to_ascii_lowercase().into_bytes().into(), make);
    }

    /// The finished map.
    pub fn build(self) -> HostMap<V> {
        HostMap { exact: self.exact, suffixes: Suffixes::new(self.suffixes.into_sorted()), any: self.any }
    }
}

/// Values by host pattern, found as Envoy finds virtual hosts: the name itself, else the longest wildcard, else `*`.
#[derive(Debug)]
pub struct HostMap<V> {
    exact: ByteMap<V>,
    suffixes: Suffixes<V>,
    any: Option<V>,
}

impl<V> HostMap<V> {
    /// The value of the best pattern for `host`, a name without a port in any case of letters. A wildcard stands for
    /// one character at least.
    pub fn find(&self, host: &[u8]) -> Option<&V> {
        let host = lower_case(host);
        if let Some(value) = self.exact.get(&host) {
            return Some(value);
        }
        let mut wildcards = self.suffixes.of(&host).filter(|(suffix, _)| suffix.len() < host.len());
        wildcards.next().map(|(_, value)| value).or(self.any.as_ref())
    }

    /// Every value, in no particular order.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.exact.values().chain(self.suffixes.values()).chain(&self.any)
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn the_name_wins_over_the_longest_wildcard_over_any() {
        let mut builder = HostMapBuilder::default();
        for host in ["a.example.com", "*.example.com", "*.com", "*x.example.com", "*", "B.Example.com"] {
            builder.insert_with(&HostPattern::parse(host), || host);
        }
        builder.insert_with(&HostPattern::parse("A.example.com"), || "other");
        let map = builder.build();
        for (host, found) in [
            ("a.example.com", "a.example.com"),
            ("A.EXAMPLE.com", "a.example.com"),
            ("b.example.com", "B.Example.com"),
            ("c.example.com", "*.example.com"),
            ("C.d.Example.com", "*.example.com"),
            ("yx.example.com", "*x.example.com"),
            ("x.example.com", "*.example.com"),
            (".example.com", "*.com"),
            ("example.com", "*.com"),
            (".com", "*"),
            ("example.org", "*"),
            ("", "*"),
            ("caf\u{e9}", "*"),
        ] {
            assert_eq!(map.find(host.as_bytes()).copied(), Some(found), "{host}");
        }
        assert_eq!(map.values().count(), 6);
    }

    #[test]
    fn without_any_an_unknown_host_has_no_value() {
        let mut builder = HostMapBuilder::default();
        builder.insert_with(&HostPattern::parse("a"), || 1);
        assert_eq!(builder.build().find(b"b"), None);
    }
}
