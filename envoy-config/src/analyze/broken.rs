//! Resources with errors: they are there, but nothing is known of them.

use std::collections::HashSet;

use outrigger_api::Problem;

/// Which resources have errors, as far as that can be told.
#[derive(Debug, Default)]
pub(super) struct Broken<'p> {
    /// Kind, namespace and name.
    named: HashSet<(&'p str, &'p str, &'p str)>,
    /// Kinds of those without a name.
    nameless: HashSet<&'p str>,
    kinds: HashSet<&'p str>,
    /// A document, of whatever kind, could not be read.
    unread: bool,
}

impl<'p> Broken<'p> {
    pub(super) fn of(problems: &'p [Problem]) -> Self {
        let mut broken = Self::default();
        for problem in problems.iter().filter(|problem| problem.is_error()) {
            let resource = &problem.resource;
            let Some(kind) = resource.kind.as_deref() else {
                broken.unread = true;
                continue;
            };
            broken.kinds.insert(kind);
            match (resource.namespace.as_deref(), resource.name.as_deref()) {
                (Some(namespace), Some(name)) => _ = broken.named.insert((kind, namespace, name)),
                _ => _ = broken.nameless.insert(kind),
            }
        }
        broken
    }

    /// Whether one of them may be this resource.
    pub(super) fn may_be(&self, kind: &str, namespace: &str, name: &str) -> bool {
        self.unread || self.nameless.contains(kind) || self.named.contains(&(kind, namespace, name))
    }

    /// Whether one of them may be of this kind.
    pub(super) fn has_kind(&self, kind: &str) -> bool {
        self.unread || self.kinds.contains(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the Gateway `ns/one` and the kind Service.
    fn answers(yaml: &str) -> (bool, bool) {
        let parsed = outrigger_api::parse_yaml(yaml.as_bytes(), "a.yaml", "ns");
        let broken = Broken::of(&parsed.problems);
        (broken.may_be("Gateway", "ns", "one"), broken.has_kind("Service"))
    }

    #[test]
    fn what_can_not_be_read_may_be_anything() {
        let gateway = "apiVersion: networking.istio.io/v1\nkind: Gateway\n";
        for (yaml, expected) in [
            (format!("{gateway}metadata: {{name: one}}\nspec: {{server: []}}"), (true, false)),
            (format!("{gateway}metadata: {{name: two}}\nspec: {{server: []}}"), (false, false)),
            (format!("{gateway}metadata: {{}}\nspec: {{}}"), (true, false)),
            ("a: {".to_owned(), (true, true)),
            ("kind: ''".to_owned(), (true, true)),
            (String::new(), (false, false)),
        ] {
            assert_eq!(answers(&yaml), expected, "{yaml}");
        }
    }
}
