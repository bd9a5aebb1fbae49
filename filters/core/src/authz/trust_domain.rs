//! Trust domains in principals.

use outrigger_api::types::authorization_policy::ValuePattern;

/// Istio's name for "the mesh's own trust domain", whatever that is called.
const LOCAL: &str = "cluster.local";

/// `pattern` with `own` in place of the trust domain `cluster.local`. Only a principal in full form,
/// `<trust domain>/ns/<namespace>/sa/<account>`, has one for Istio.
pub(super) fn localize(pattern: &ValuePattern, own: &str) -> ValuePattern {
    let replaced = |text: &str| {
        let rest = text.strip_prefix(LOCAL)?;
        let in_full = rest.starts_with('/') && rest.matches('/').count() == 4;
        in_full.then(|| format!("{own}{rest}"))
    };
    match pattern {
        ValuePattern::Exact(text) => ValuePattern::Exact(replaced(text).unwrap_or_else(|| text.clone())),
        ValuePattern::Prefix(text) => ValuePattern::Prefix(replaced(text).unwrap_or_else(|| text.clone())),
        ValuePattern::Any | ValuePattern::Suffix(_) => pattern.clone(),
    }
}
