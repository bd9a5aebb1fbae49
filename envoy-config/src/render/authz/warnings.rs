//! What policies do not mean on a server whose bytes are passed on.

use outrigger_api::problem::{Severity, code};
use outrigger_api::types::authorization_policy::Action;
use outrigger_api::types::extension_provider::ProviderKind;
use outrigger_api::{Problem, Resource, Role};

use super::Scope;
use super::provider::{Custom, custom};
use crate::render::rbac::{self, Applied};

/// A word on each field that counts for nothing there. `certificates`: clients show theirs to this proxy.
pub(in crate::render) fn of_server(scope: &Scope<'_>, server: &str, certificates: bool) -> Vec<Problem> {
    let custom = custom(scope);
    let mut warnings = Vec::new();
    for (resource, policy) in scope.policies() {
        if let Some(warning) = unasked(resource, &custom, server) {
            warnings.push(warning);
            continue;
        }
        let port = scope.proxy.port;
        let rules = policy.rules.iter().flatten().enumerate();
        for (index, rule) in rules.filter(|(_, rule)| rbac::is_for(rule, port)) {
            let fields = rbac::http_only(rule, index, port);
            let all = fields.iter().map(|path| left_out(resource, path, &policy.action, server));
            warnings.extend(all);
            if !certificates {
                let fields = rbac::peers(rule, index);
                warnings
                    .extend(fields.iter().map(|field| nameless(resource, field, server, scope.proxy.role)));
            }
        }
    }
    warnings
}

/// A server that is asked by HTTP knows nothing of connections.
fn unasked(resource: &Resource, custom: &Custom<'_>, server: &str) -> Option<Problem> {
    let mut asked = custom.asked.iter();
    let of = |(policy, _): &Applied<'_>| std::ptr::eq(*policy, resource);
    let asked = asked.find(|asked| asked.policies.iter().any(of))?;
    matches!(asked.provider.kind, ProviderKind::ExtAuthzHttp(_)).then(|| {
        let message = format!(
            "this policy does nothing on {server}, which passes connections on: `{}` is asked by HTTP",
            asked.provider.name
        );
        let hint = "a provider of kind `envoyExtAuthzGrpc` is asked about connections too";
        warning(resource, "spec.provider.name", message, hint)
    })
}

fn left_out(resource: &Resource, path: &str, action: &Action, server: &str) -> Problem {
    let field = path.rsplit('.').next().unwrap_or(path);
    let field = match field {
        "key" => "this condition",
        field => &format!("`{field}`"),
    };
    if *action == Action::Allow {
        let message = format!(
            "{field} is known of requests only, so this rule lets nobody pass on {server}, which passes connections on"
        );
        return warning(resource, path, message, "write a rule of its own for connections, with `ports`");
    }
    let message = format!(
        "{field} is known of requests only and left out on {server}, which passes connections on: there the rule is wider"
    );
    warning(resource, path, message, "name the ports that the rule is for under `to[].operation.ports`")
}

fn nameless(resource: &Resource, field: &rbac::Asking, server: &str, role: Role) -> Problem {
    let holds = if field.negative { "this always holds" } else { "this never holds" };
    let message = format!(
        "no client shows a certificate to this proxy on {server}, so that nothing says who it is: {holds}"
    );
    let hint = match role {
        Role::Gateway => "identities are known where the Gateway's server ends TLS with mode MUTUAL",
        Role::Sidecar => "identities are known where a PeerAuthentication has clients use mutual TLS",
    };
    warning(resource, &field.path, message, hint)
}

fn warning(resource: &Resource, path: &str, message: String, hint: &str) -> Problem {
    let problem = resource.error(path, code::WARNING, message);
    Problem { severity: Severity::Warning, hint: Some(hint.to_owned()), ..problem }
}
