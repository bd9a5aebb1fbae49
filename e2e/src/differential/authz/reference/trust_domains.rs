//! Trust domains of principals (`pilot/pkg/security/trustdomain`).

/// `cluster.local` stands for the mesh's own trust domain, whatever that is called.
const LOCAL: &str = "cluster.local";

/// The mesh's own trust domain, and then the names it had or has besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TrustDomains(pub(super) Vec<String>);

impl TrustDomains {
    /// What stands for values of `principals`.
    pub(super) fn of_principals(&self, values: Vec<String>) -> Vec<String> {
        values.into_iter().flat_map(|value| self.of_principal(value)).collect()
    }

    fn of_principal(&self, principal: String) -> Vec<String> {
        // Only a principal in full has a trust domain, and a lone star is none.
        let parts: Vec<&str> = principal.split('/').collect();
        let [domain, _, _, _, _] = parts[..] else { return vec![principal] };
        let known = domain == LOCAL || self.0.iter().any(|own| agree(domain, own));
        if domain == "*" || !known {
            return vec![principal];
        }
        let mut all = Vec::new();
        for own in &self.0 {
            let kept = domain.strip_prefix('*').is_some_and(|end| own.ends_with(end));
            let one =
                if kept { principal.clone() } else { [&[own.as_str()], &parts[1..]].concat().join("/") };
            if !all.contains(&one) {
                all.push(one);
            }
        }
        all
    }

    /// What stands for values of `trustDomains`.
    pub(super) fn of_domains(&self, values: Vec<String>) -> Vec<String> {
        let mut all = Vec::new();
        for value in values {
            let stand = if self.0.contains(&value) { self.0.clone() } else { vec![value] };
            for one in stand {
                if !all.contains(&one) {
                    all.push(one);
                }
            }
        }
        all
    }
}

/// Whether one of two names, either of which may have a star, covers the other.
fn agree(one: &str, other: &str) -> bool {
    one == other || other == "*" || covers(one, other) || covers(other, one)
}

fn covers(pattern: &str, text: &str) -> bool {
    pattern.strip_suffix('*').is_some_and(|start| text.starts_with(start))
        || pattern.strip_prefix('*').is_some_and(|end| text.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn principals_stand_for_each_name_of_the_mesh() {
        let mesh = TrustDomains(texts(&["new-td", "old-td", "mesh.test"]));
        for (value, expected) in [
            ("new-td/ns/a/sa/b", &["new-td/ns/a/sa/b", "old-td/ns/a/sa/b", "mesh.test/ns/a/sa/b"][..]),
            ("cluster.local/ns/a/sa/b", &["new-td/ns/a/sa/b", "old-td/ns/a/sa/b", "mesh.test/ns/a/sa/b"]),
            ("*-td/ns/a/sa/b", &["*-td/ns/a/sa/b", "mesh.test/ns/a/sa/b"]),
            ("other/ns/a/sa/b", &["other/ns/a/sa/b"]),
            ("*/ns/a/sa/b", &["*/ns/a/sa/b"]),
            ("*", &["*"]),
            ("new-td/ns/a", &["new-td/ns/a"]),
            ("new-td/ns/a/sa/b/c", &["new-td/ns/a/sa/b/c"]),
            ("new-td/x/y/z/*", &["new-td/x/y/z/*", "old-td/x/y/z/*", "mesh.test/x/y/z/*"]),
            ("new*/ns/a/sa/b", &["new-td/ns/a/sa/b", "old-td/ns/a/sa/b", "mesh.test/ns/a/sa/b"]),
        ] {
            assert_eq!(mesh.of_principals(texts(&[value])), texts(expected), "{value}");
        }
        let alone = TrustDomains(texts(&["td"]));
        assert_eq!(alone.of_principals(texts(&["cluster.local/ns/a/sa/b"])), texts(&["td/ns/a/sa/b"]));
    }

    #[test]
    fn trust_domains_are_joined_by_the_others_of_the_mesh() {
        let mesh = TrustDomains(texts(&["new", "old"]));
        for (values, expected) in [
            (&["old"][..], &["new", "old"][..]),
            (&["old", "new", "x"], &["new", "old", "x"]),
            (&["o*"], &["o*"]),
            (&["cluster.local"], &["cluster.local"]),
        ] {
            assert_eq!(mesh.of_domains(texts(values)), texts(expected), "{values:?}");
        }
    }
}
