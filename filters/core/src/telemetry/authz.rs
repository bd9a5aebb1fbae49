//! Stats of authorization policies.

use super::labels::push;

/// The label that names an AuthorizationPolicy (`namespace/name`).
pub const AUTHORIZATION_POLICY: &str = "authorization_policy";
/// Istio's label for the action of policies on dry run: `allow` or `deny`.
pub const DRY_RUN_ACTION: &str = "authz_dry_run_action";
/// Istio's label for what they made of a request: `allowed` or `denied`.
pub const DRY_RUN_RESULT: &str = "authz_dry_run_result";

/// Counter of requests, by what the policies on dry run made of them (Istio's labels [`DRY_RUN_ACTION`] and
/// [`DRY_RUN_RESULT`]).
pub const AUTHZ_DRY_RUN: &str = "outrigger_authz_dry_run";

/// One of the stats that each AuthorizationPolicy has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthzStat {
    /// Requests that a rule of it refused.
    Denied,
    /// Requests that a rule of it marked.
    Audited,
    /// Requests of which the verdict would have been another, had it been enforced and not on dry run.
    Disagreements,
}

impl AuthzStat {
    /// Each.
    pub const ALL: [Self; 3] = [Self::Denied, Self::Audited, Self::Disagreements];

    /// The metric, without its label.
    pub const fn metric(self) -> &'static str {
        match self {
            Self::Denied => "outrigger_authz_denied",
            Self::Audited => "outrigger_authz_audited",
            Self::Disagreements => "outrigger_authz_dry_run_disagreements",
        }
    }

    /// The stat's name for a policy, with the label as [`super::tag_regex`] reads it. `none`: no rule of any
    /// ALLOW policy has matched.
    pub fn name(self, policy: Option<&str>) -> String {
        let mut name = self.metric().to_owned();
        push(&mut name, AUTHORIZATION_POLICY, policy.unwrap_or("none"));
        name
    }
}

/// The name of [`AUTHZ_DRY_RUN`] for an action (`allow` or `deny`) and its result.
pub fn authz_dry_run(action: &str, allowed: bool) -> String {
    let mut name = AUTHZ_DRY_RUN.to_owned();
    push(&mut name, DRY_RUN_ACTION, &action.to_ascii_lowercase());
    push(&mut name, DRY_RUN_RESULT, if allowed { "allowed" } else { "denied" });
    name
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn the_names_carry_their_labels() {
        let name = AuthzStat::Denied.name(Some("default/shop"));
        assert_eq!(name, "outrigger_authz_denied\u{1e}authorization_policy\u{1f}default/shop");
        assert_eq!(
            AuthzStat::Denied.name(None),
            "outrigger_authz_denied\u{1e}authorization_policy\u{1f}none"
        );
        assert_eq!(
            authz_dry_run("DENY", false),
            "outrigger_authz_dry_run\u{1e}authz_dry_run_action\u{1f}deny\u{1e}authz_dry_run_result\u{1f}denied"
        );
    }
}
