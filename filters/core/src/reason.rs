//! Which line of whose resource decided.

use std::fmt;
use std::sync::Arc;

use outrigger_api::Resource;

/// A rule of a resource, as decisions name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleRef {
    /// The resource, `namespace/name`.
    pub resource: Arc<str>,
    /// The rule's index in its list, from 0.
    pub rule: usize,
    /// The file it stands in; `None` inside the proxy.
    pub file: Option<Arc<str>>,
    /// Its line, from 1; `None` inside the proxy.
    pub line: Option<u32>,
}

impl RuleRef {
    /// The rule at `path` (such as `spec.rules[0]`), the `rule`th of its list.
    pub fn new(resource: &Resource, path: &str, rule: usize) -> Self {
        Self {
            resource: resource.id().into(),
            rule,
            file: resource.source.file.clone(),
            line: resource.position(path).map(|position| position.line),
        }
    }
}

/// `namespace/name[rule]`
impl fmt::Display for RuleRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.resource, self.rule)
    }
}
