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
        (!name.contains('*') && !self.0.contains(name)).then(|| format!("there is no namespace `{name}`"))
    }
}
