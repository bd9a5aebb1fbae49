//! How conditions are joined: as permissions, which are about what is asked for, or as principals, which are about who
//! asks.

use serde_json::{Value, json};

/// The two halves of a policy of Envoy's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Half {
    Permissions,
    Principals,
}

impl Half {
    fn names(self) -> [&'static str; 4] {
        match self {
            Self::Permissions => ["and_rules", "or_rules", "not_rule", "rules"],
            Self::Principals => ["and_ids", "or_ids", "not_id", "ids"],
        }
    }

    /// All of `all`; without any, everything.
    pub(super) fn and(self, all: Vec<Value>) -> Value {
        let [and, _, _, list] = self.names();
        let all = if all.is_empty() { vec![self.any()] } else { all };
        json!({and: {list: all}})
    }

    /// One of `any`.
    pub(super) fn or(self, any: Vec<Value>) -> Value {
        let [_, or, _, list] = self.names();
        json!({or: {list: any}})
    }

    pub(super) fn not(self, inner: Value) -> Value {
        let [_, _, not, _] = self.names();
        json!({not: inner})
    }

    pub(super) fn any(self) -> Value {
        json!({"any": true})
    }
}
