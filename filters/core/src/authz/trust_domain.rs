//! Trust domains of policies: a mesh may have several names, as Istio's `trustDomain` and `trustDomainAliases` say.

use std::iter;

use outrigger_api::Proxy;
use outrigger_api::types::authorization_policy::ValuePattern;

/// Istio's name for "the mesh's own trust domain", whatever that is called.
const LOCAL: &str = "cluster.local";

/// `pattern` for each trust domain of the mesh that it is about. One about another trust domain, or about none, stays
/// as it is. Only a principal in full form, `<trust domain>/ns/<namespace>/sa/<account>`, has one for Istio, and a star
/// at either end of it counts.
pub fn of_mesh(pattern: &ValuePattern, proxy: &Proxy) -> Vec<ValuePattern> {
    let text = pattern.to_string();
    let Some((domain, rest)) = text.split_once('/').filter(|(_, rest)| rest.matches('/').count() == 3) else {
        return vec![pattern.clone()];
    };
    if domain == "*" || !(domain == LOCAL || own(proxy).any(|own| fits(own, domain))) {
        return vec![pattern.clone()];
    }
    let mut all = Vec::new();
    for own in own(proxy) {
        // A pattern that fits a trust domain by its end stands for it, and for others with that end.
        let stands = domain.strip_prefix('*').is_some_and(|end| own.ends_with(end));
        let pattern = if stands { pattern.clone() } else { ValuePattern::parse(&format!("{own}/{rest}")) };
        if !all.contains(&pattern) {
            all.push(pattern);
        }
    }
    all
}

/// A trust domain together with the others of the mesh, if it is one of them. Here `cluster.local` is a name like any other.
pub fn with_aliases(pattern: &ValuePattern, proxy: &Proxy) -> Vec<ValuePattern> {
    match pattern {
        ValuePattern::Exact(text) if own(proxy).any(|own| own == text) => {
            own(proxy).map(|own| ValuePattern::Exact(own.clone())).collect()
        }
        _ => vec![pattern.clone()],
    }
}

fn own(proxy: &Proxy) -> impl Iterator<Item = &String> {
    iter::once(&proxy.trust_domain).chain(&proxy.trust_domain_aliases)
}

fn fits(own: &str, pattern: &str) -> bool {
    let begins =
        |text: &str, pattern: &str| pattern.strip_suffix('*').is_some_and(|begin| text.starts_with(begin));
    let ends = |text: &str, pattern: &str| pattern.strip_prefix('*').is_some_and(|end| text.ends_with(end));
    own == pattern || begins(own, pattern) || ends(own, pattern)
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn a_principal_stands_for_each_name_of_the_mesh() {
        // Trust domain and aliases, principal, what it stands for.
        for (domains, principal, expected) in [
            ("td", "cluster.local/ns/a/sa/b", "td/ns/a/sa/b"),
            ("td", "td/ns/a/sa/b", "td/ns/a/sa/b"),
            ("td", "other/ns/a/sa/b", "other/ns/a/sa/b"),
            ("td", "*", "*"),
            ("td", "*/ns/a/sa/b", "*/ns/a/sa/b"),
            ("td", "*d/ns/a/sa/b", "*d/ns/a/sa/b"),
            ("td", "t*/ns/a/sa/b", "td/ns/a/sa/b"),
            ("td", "cluster.local/ns/a/sa/b*", "td/ns/a/sa/b*"),
            ("td", "cluster.local/ns/*", "cluster.local/ns/*"),
            ("td", "cluster.local/ns/a/sa/b/c", "cluster.local/ns/a/sa/b/c"),
            ("new old", "old/ns/a/sa/b", "new/ns/a/sa/b old/ns/a/sa/b"),
            ("new old", "new/ns/a/sa/b", "new/ns/a/sa/b old/ns/a/sa/b"),
            ("new old", "cluster.local/ns/a/sa/b", "new/ns/a/sa/b old/ns/a/sa/b"),
            ("new old", "older/ns/a/sa/b", "older/ns/a/sa/b"),
            ("cluster.local", "cluster.local/ns/a/sa/b", "cluster.local/ns/a/sa/b"),
            ("td old", "old/ns/a/sa/b*", "td/ns/a/sa/b* old/ns/a/sa/b*"),
            ("td old", "*/ns/a/sa/b", "*/ns/a/sa/b"),
            ("td old", "td/ns/a/*", "td/ns/a/*"),
            ("td old", "*", "*"),
            ("new-td old-td", "*-td/ns/a/sa/b", "*-td/ns/a/sa/b"),
            ("new a-td b-td", "*-td/ns/a/sa/b", "new/ns/a/sa/b *-td/ns/a/sa/b"),
            ("new a-td", "*-td/ns/a/sa/b*", "new/ns/a/sa/b* *-td/ns/a/sa/b*"),
        ] {
            let found = of_mesh(&ValuePattern::parse(principal), &proxy(domains));
            let found: Vec<_> = found.iter().map(ToString::to_string).collect();
            assert_eq!(found.join(" "), expected, "{principal}");
        }
    }

    #[test]
    fn a_trust_domain_stands_for_each_name_of_the_mesh() {
        // Trust domain and aliases, a value of `trustDomains`, what it stands for.
        for (domains, value, expected) in [
            ("td", "td", "td"),
            ("new old", "new", "new old"),
            ("new old", "old", "new old"),
            ("new old", "other", "other"),
            ("new old", "cluster.local", "cluster.local"),
            ("new cluster.local", "cluster.local", "new cluster.local"),
            ("new old", "ol*", "ol*"),
            ("new old", "*d", "*d"),
            ("new old", "*", "*"),
        ] {
            let found = with_aliases(&ValuePattern::parse(value), &proxy(domains));
            let found: Vec<_> = found.iter().map(ToString::to_string).collect();
            assert_eq!(found.join(" "), expected, "{value}");
        }
    }

    fn proxy(domains: &str) -> Proxy {
        let mut domains = domains.split(' ').map(str::to_owned);
        let trust_domain = domains.next().unwrap_or_default();
        Proxy { trust_domain, trust_domain_aliases: domains.collect(), ..Proxy::default() }
    }
}
