//! Trust domains in rules: the mesh's own one and its aliases stand for each other.

use outrigger_api::types::authorization_policy::ValuePattern;

/// Istio's name for the mesh's own trust domain, whatever that is called.
const LOCAL: &str = "cluster.local";

/// The mesh's own trust domain, then its aliases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::render) struct TrustDomains(Vec<String>);

impl TrustDomains {
    pub(in crate::render) fn new(own: &str, aliases: &[String]) -> Self {
        Self(std::iter::once(own).chain(aliases.iter().map(String::as_str)).map(str::to_owned).collect())
    }

    /// Everything that a principal stands for. One has a trust domain only in full form,
    /// `<trust domain>/ns/<namespace>/sa/<account>`.
    pub(super) fn of_principal(&self, principal: &ValuePattern) -> Vec<ValuePattern> {
        let text = principal.to_string();
        let domain = match text.split('/').collect::<Vec<_>>().as_slice() {
            [domain, _, _, _, _] if *domain != "*" => *domain,
            _ => return vec![principal.clone()],
        };
        if domain != LOCAL && !self.0.iter().any(|own| meets(own, domain)) {
            return vec![principal.clone()];
        }
        let rest = text.strip_prefix(domain).unwrap_or_default();
        let mut all: Vec<String> = Vec::new();
        for own in &self.0 {
            let kept = domain.strip_prefix('*').is_some_and(|suffix| own.ends_with(suffix));
            let stands_for = if kept { text.clone() } else { format!("{own}{rest}") };
            if !all.contains(&stands_for) {
                all.push(stands_for);
            }
        }
        all.iter().map(|text| ValuePattern::parse(text)).collect()
    }

    /// Everything that a trust domain stands for.
    pub(super) fn of_domain(&self, domain: &ValuePattern) -> Vec<ValuePattern> {
        match domain {
            ValuePattern::Exact(text) if self.0.contains(text) => {
                self.0.iter().cloned().map(ValuePattern::Exact).collect()
            }
            _ => vec![domain.clone()],
        }
    }
}

/// Whether a trust domain is what a principal names, either of which may have a star at one end.
fn meets(own: &str, named: &str) -> bool {
    let covers = |pattern: &str, text: &str| {
        pattern.strip_suffix('*').is_some_and(|prefix| text.starts_with(prefix))
            || pattern.strip_prefix('*').is_some_and(|suffix| text.ends_with(suffix))
    };
    own == named || covers(own, named) || covers(named, own)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn principals(domains: &[&str], principal: &str) -> Vec<String> {
        let aliases: Vec<_> = domains.iter().skip(1).map(|alias| (*alias).to_owned()).collect();
        let domains = TrustDomains::new(domains[0], &aliases);
        domains.of_principal(&ValuePattern::parse(principal)).iter().map(ToString::to_string).collect()
    }

    /// Rows of Istio's own table.
    #[test]
    fn principals_stand_for_all_domains_of_the_mesh() {
        for (domains, principal, expected) in [
            (&["cluster.local"][..], "cluster.local/ns/a/sa/b", &["cluster.local/ns/a/sa/b"][..]),
            (&["td"], "cluster.local/ns/a/sa/b", &["td/ns/a/sa/b"]),
            (&["td", "old"], "cluster.local/ns/a/sa/b", &["td/ns/a/sa/b", "old/ns/a/sa/b"]),
            (&["td", "old"], "old/ns/a/sa/b*", &["td/ns/a/sa/b*", "old/ns/a/sa/b*"]),
            (&["td", "old"], "other/ns/a/sa/b", &["other/ns/a/sa/b"]),
            (&["td", "old"], "*/ns/a/sa/b", &["*/ns/a/sa/b"]),
            (&["td", "old"], "td/ns/a/*", &["td/ns/a/*"]),
            (&["td", "old"], "*", &["*"]),
            (&["new-td", "old-td"], "*-td/ns/a/sa/b", &["*-td/ns/a/sa/b"]),
            (&["td1", "old-td"], "*-td/ns/a/sa/b", &["td1/ns/a/sa/b", "*-td/ns/a/sa/b"]),
        ] {
            assert_eq!(principals(domains, principal), expected, "{domains:?} {principal}");
        }
    }

    #[test]
    fn domains_stand_for_each_other() {
        let domains = TrustDomains::new("td", &["old".to_owned()]);
        let all = |text: &str| {
            domains.of_domain(&ValuePattern::parse(text)).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(all("td"), ["td", "old"]);
        assert_eq!(all("old"), ["td", "old"]);
        assert_eq!(all("other"), ["other"]);
        assert_eq!(all("t*"), ["t*"]);
    }
}
