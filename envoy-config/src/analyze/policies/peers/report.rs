//! What is said of a policy about identities that its peers need not have.

use outrigger_api::types::authorization_policy::Action;

use super::Shown;
use crate::analyze::codes;
use crate::analyze::finding::{Finding, Level};
use crate::analyze::policies::rules::{Asked, Constraint, Policy};

/// The one thing that matters most; `None` if the policy means what it says.
pub(super) fn finding(policy: &Policy<'_>, shown: &Shown) -> Option<Finding> {
    let why = why(shown);
    let find = |lists: fn(&Constraint<'_>) -> bool| {
        let rules = policy.rules.iter().enumerate();
        rules
            .flat_map(|(at, rule)| rule.constraints().map(move |one| (at, rule, one)))
            .find(|(.., one)| one.field.is_identity() && lists(one))
    };
    let asking = find(|one| !one.values.is_empty());
    let excluding = find(|one| !one.not_values.is_empty());
    let push = |level, path: String, message: String, hint: &str| {
        let finding = Finding::new(codes::PEERS_WITHOUT_IDENTITY, level, policy.resource, &path, message);
        Some(finding.hint(hint.to_owned()))
    };
    let strict = "`mtls: {mode: STRICT}` in a PeerAuthentication lets none of them connect";
    match (shown, &policy.policy.action) {
        (Shown::None(_) | Shown::NoneAtGateway, _) => {
            let (at, _, one) = asking.or(excluding)?;
            let (path, holds) = if one.values.is_empty() {
                (one.not_values_path(at), "always")
            } else {
                (one.values_path(at), "never")
            };
            let hint = match shown {
                Shown::NoneAtGateway => "`tls: {mode: MUTUAL}` of a server asks clients for one",
                _ => strict,
            };
            push(
                Level::Warning,
                path,
                format!("this {holds} holds: no peer has an identity, since {why}"),
                hint,
            )
        }
        (Shown::Some(_), Action::Deny) => {
            let (at, _, one) = asking?;
            let message =
                format!("who connects in plain text has no identity and gets round this rule: {why}");
            push(Level::Warning, one.values_path(at), message, strict)
        }
        (Shown::Some(_), Action::Allow) => {
            let lets_pass =
                policy.rules.iter().enumerate().find_map(|(at, rule)| Some((at, lets_strangers_pass(rule)?)));
            if let Some((at, one)) = lets_pass {
                let message = format!(
                    "who connects in plain text has no identity, so this keeps nobody of them out: {why}"
                );
                return push(Level::Warning, one.not_values_path(at), message, strict);
            }
            let (at, _, one) = asking?;
            let message =
                format!("who connects in plain text has no identity, so this never allows it: {why}");
            push(Level::Info, one.values_path(at), message, strict)
        }
        (Shown::Some(_), Action::Audit | Action::Custom { .. }) => None,
    }
}

/// What an ALLOW rule excludes without asking for any identity, if a peer without one fits it.
fn lets_strangers_pass<'c, 'r>(rule: &'c Asked<'r>) -> Option<&'c Constraint<'r>> {
    let asks =
        |all: &[Constraint<'_>]| all.iter().any(|one| one.field.is_identity() && !one.values.is_empty());
    let excludes = |all: &'c [Constraint<'r>]| {
        all.iter().find(|one| one.field.is_identity() && !one.not_values.is_empty())
    };
    if asks(&rule.when) {
        return None;
    }
    let open = rule.from.iter().filter(|source| !asks(source)).find_map(|source| excludes(source));
    open.or_else(|| {
        let open = rule.from.is_empty() || rule.from.iter().any(|source| !asks(source));
        open.then(|| excludes(&rule.when)).flatten()
    })
}

fn why(shown: &Shown) -> &str {
    match shown {
        Shown::Some(who) | Shown::None(who) => who,
        Shown::NoneAtGateway => "no server of this gateway asks for a client's certificate",
    }
}
