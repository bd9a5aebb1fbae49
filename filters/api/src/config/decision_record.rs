//! Where a filter tells what it has decided.

use serde_json::json;

use crate::{check, decode::Object};

/// `decisionRecord`: where a filter tells what it has decided of a request, and by which rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionRecord {
    /// `filterState`: as filter state, for access logs (`%FILTER_STATE(wasm.outrigger.authz:PLAIN)%`); default true.
    pub filter_state: bool,
    /// `responseHeader`: as this header of the response, in lower case; default none, since clients read it too.
    pub response_header: Option<String>,
}

impl Default for DecisionRecord {
    fn default() -> Self {
        Self { filter_state: true, response_header: None }
    }
}

impl DecisionRecord {
    pub(super) fn decode(fields: &Object<'_>) -> Option<Self> {
        let header = fields.get("responseHeader", |name| name.checked(check::headers::name));
        Some(Self {
            filter_state: fields.get("filterState", |field| field.bool()).unwrap_or(true),
            response_header: header.map(|name| name.to_ascii_lowercase()),
        })
    }

    pub(super) fn to_json(&self) -> serde_json::Value {
        let header = self.response_header.as_ref();
        let fields = [
            ("filterState", Some(json!(self.filter_state)).filter(|_| !self.filter_state)),
            ("responseHeader", header.map(|name| json!(name))),
        ];
        fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}
