//! What resources ask for and a proxy of somebody else's has not.

use outrigger_api::problem::code;
use outrigger_api::types::authorization_policy::Action;
use outrigger_api::types::request_authentication::KeySource;
use outrigger_api::{Problem, Proxy, Resource, Spec};
use outrigger_core::Attributes;
use outrigger_core::authz::ext_authz::unaskable;

use super::error::Error;
use crate::modules::Module;
use crate::render::part::{Part, attributes, key_sources};

/// Rules about tokens need the module that verifies them: without it a DENY rule about one would never match.
///
/// # Errors
/// A module asks for claims, and none of the others verifies tokens.
pub(super) fn tokens_are_verified(parts: &[Part]) -> Result<(), Error> {
    let verifies = parts.iter().any(|part| matches!(part.module, Module::JwtAuthn | Module::Suite));
    let asking = parts.iter().find(|part| part.needs.attributes.contains(Attributes::CLAIMS));
    match asking.filter(|_| !verifies) {
        None => Ok(()),
        Some(part) => {
            let name = part.module.name();
            Err(Error::Refused(format!(
                "rules of `{name}` ask for claims of tokens, which only our own jwt-authn tells it\n\
                 hint: give the RequestAuthentications with `-f` too, and render `--modules jwt-authn,{name}`"
            )))
        }
    }
}

/// A filter asks servers that authorize requests by HTTP.
///
/// # Errors
/// Policies whose server it can't ask.
pub(super) fn servers_can_be_asked(parts: &[Part]) -> Result<(), Error> {
    let mut problems = Vec::new();
    for part in parts {
        let responds = part.module == Module::Suite;
        let Some(why) = part.needs.providers.iter().find_map(|provider| unaskable(provider, responds)) else {
            continue;
        };
        for resource in part.config.resources.iter().filter(|resource| is_custom(resource)) {
            let message = format!("its extension provider can't be asked: {why}");
            let hint =
                "leave `action: CUSTOM` to istiod: apply this policy to the cluster, and not with `-f`";
            problems.push(problem(resource, "spec.provider.name", message, hint));
        }
    }
    all(problems)
}

/// Envoy Gateway has no clusters by which keys are fetched or servers asked, and no filter before ours.
///
/// # Errors
/// What needs one.
pub(super) fn nothing_beside(parts: &[Part], proxy: &Proxy) -> Result<(), Error> {
    let mut problems = Vec::new();
    for resource in parts.iter().flat_map(|part| &part.config.resources) {
        match &resource.spec {
            Spec::RequestAuthentication(policy) if !key_sources(resource, proxy).is_empty() => {
                for (index, rule) in policy.jwt_rules.iter().enumerate() {
                    let field = match rule.keys {
                        KeySource::Inline(_) => continue,
                        KeySource::Uri(_) => "jwksUri",
                        KeySource::Discovery => "issuer",
                    };
                    let message =
                        "keys can't be fetched there: Envoy Gateway makes no cluster for a filter to \
                                   fetch them through"
                            .to_owned();
                    let hint = "put the key set into `jwks`, or verify tokens by a SecurityPolicy";
                    problems.push(problem(
                        resource,
                        &format!("spec.jwtRules[{index}].{field}"),
                        message,
                        hint,
                    ));
                }
            }
            Spec::AuthorizationPolicy(_) if is_custom(resource) => {
                let message =
                    "no server can be asked there: Envoy Gateway makes no cluster for a filter to ask \
                               through"
                        .to_owned();
                let hint = "ask it by `extAuth` of a SecurityPolicy, and leave this policy out";
                problems.push(problem(resource, "spec.action", message, hint));
            }
            Spec::AuthorizationPolicy(_) if attributes(resource, proxy).contains(Attributes::SOURCE_IP) => {
                let message =
                    "`ipBlocks` is about the TCP peer, whose address a filter can't tell there from what \
                               a client writes into `x-forwarded-for`"
                        .to_owned();
                let hint = "use `remoteIpBlocks`, the client's address as a ClientTrafficPolicy finds it";
                problems.push(problem(resource, "spec.rules", message, hint));
            }
            _ => {}
        }
    }
    all(problems)
}

fn is_custom(resource: &Resource) -> bool {
    matches!(&resource.spec, Spec::AuthorizationPolicy(policy) if matches!(policy.action, Action::Custom { .. }))
}

fn problem(resource: &Resource, path: &str, message: String, hint: &str) -> Problem {
    Problem { hint: Some(hint.to_owned()), ..resource.error(path, code::UNSUPPORTED, message) }
}

fn all(problems: Vec<Problem>) -> Result<(), Error> {
    if problems.is_empty() { Ok(()) } else { Err(Error::Resources(problems)) }
}
