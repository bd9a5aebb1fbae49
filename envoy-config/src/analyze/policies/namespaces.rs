//! Namespaces that no peer can be in, where the files declare which there are.

use std::collections::BTreeSet;

use outrigger_api::{Kind, Proxy, Resource};

use super::rules::Policy;
use crate::analyze::codes;
use crate::analyze::finding::{Finding, Level};

/// The namespaces of the files.
pub(super) struct Namespaces<'r>(BTreeSet<&'r str>);

impl<'r> Namespaces<'r> {
    /// `None`: no Namespace is declared, so that others may be anywhere.
    pub(super) fn new(resources: &'r [Resource], proxy: &'r Proxy) -> Option<Self> {
        let declared = resources.iter().filter(|resource| resource.kind == Kind::Namespace);
        let mut all: BTreeSet<_> = declared.map(|resource| &*resource.meta.name).collect();
        if all.is_empty() {
            return None;
        }
        all.extend(resources.iter().map(|resource| &*resource.meta.namespace));
        all.extend([&*proxy.namespace, &*proxy.root_namespace]);
        Some(Self(all))
    }

    /// Reports names in the policy's rules that none of them has.
    pub(super) fn check(&self, policy: &Policy<'_>, findings: &mut Vec<Finding>) {
        for (rule, asked) in policy.policy.rules.iter().flatten().enumerate() {
            for (entry, source) in asked.from.iter().enumerate() {
                let lists = [
                    ("namespaces", &source.namespaces.values),
                    ("notNamespaces", &source.namespaces.not_values),
                ];
                for (list, names) in lists {
                    for (at, name) in names.iter().enumerate() {
                        let path = format!("spec.rules[{rule}].from[{entry}].source.{list}[{at}]");
                        findings.extend(self.unknown(&name.0).map(|message| {
                            let code = codes::REFERENCED_RESOURCE_NOT_FOUND;
                            Finding::new(code, Level::Warning, policy.resource, &path, message).hint(
                                "no Namespace of the files has this name, and no resource is in it"
                                    .to_owned(),
                            )
                        }));
                    }
                }
            }
        }
    }

    fn unknown(&self, name: &str) -> Option<String> {
        if name.contains('*') {
            let some = self.0.iter().any(|namespace| fits(name, namespace));
            return (!some).then(|| format!("there is no namespace like `{name}`"));
        }
        (!self.0.contains(name)).then(|| format!("there is no namespace `{name}`"))
    }
}

/// Whether a name fits a pattern in which each `*` stands for any text, as istiod writes it into Envoy's regexes.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    let inner = name.strip_prefix(start).and_then(|left| left.strip_suffix(end));
    inner.is_some_and(|mut left| {
        middle.split('*').all(|piece| left.split_once(piece).map(|(_, after)| left = after).is_some())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text_anywhere() {
        for (pattern, name, fit) in [
            ("*", "a", true),
            ("shop-*", "shop-a", true),
            ("shop-*", "shop", false),
            ("*-prod", "shop-prod", true),
            ("*-prod", "shop-prod-x", false),
            ("a*b*c", "a1b2b3c", true),
            ("a*b*c", "a1c", false),
        ] {
            assert_eq!(fits(pattern, name), fit, "{pattern} {name}");
        }
    }
}
