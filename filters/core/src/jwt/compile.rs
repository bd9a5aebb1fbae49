//! From RequestAuthentications to providers.

use outrigger_api::ordered;
use outrigger_api::problem::code;
use outrigger_api::select::{applies, by_age};
use outrigger_api::types::request_authentication::{JwtRule, KeySource};
use outrigger_api::{Problem, Proxy, Resource, Severity, Spec};

use super::audience::Audiences;
use super::keys::{KeySet, Remark, Unusable};
use super::outputs::Outputs;
use super::places::Places;
use super::provider::Provider;
use crate::RuleRef;

/// The rules for `proxy`, in Istio's order: those of the root namespace before those of the proxy's, older resources
/// before younger ones, and then sorted by issuer. What is wrong goes to `problems`, warnings included.
pub(super) fn providers(resources: &[Resource], proxy: &Proxy, problems: &mut Vec<Problem>) -> Vec<Provider> {
    let mut policies: Vec<_> = resources
        .iter()
        .filter_map(|resource| match &resource.spec {
            Spec::RequestAuthentication(policy)
                if applies(&policy.target, &resource.meta.namespace, proxy) =>
            {
                Some((resource, policy))
            }
            _ => None,
        })
        .collect();
    ordered::sort_by(&mut policies, |(one, _), (other, _)| {
        let is_near = |resource: &Resource| resource.meta.namespace != proxy.root_namespace;
        is_near(one).cmp(&is_near(other)).then_with(|| by_age(one, other))
    });
    let mut providers = Vec::new();
    for (resource, policy) in policies {
        for (index, rule) in policy.jwt_rules.iter().enumerate() {
            match provider(resource, index, rule) {
                Ok((provider, mut warnings)) => {
                    providers.push(provider);
                    problems.append(&mut warnings);
                }
                Err(mut errors) => problems.append(&mut errors),
            }
        }
    }
    ordered::sort_by(&mut providers, |one, other| one.issuer.cmp(&other.issuer));
    providers
}

fn provider(
    resource: &Resource,
    index: usize,
    rule: &JwtRule,
) -> Result<(Provider, Vec<Problem>), Vec<Problem>> {
    let path = format!("spec.jwtRules[{index}]");
    let jwks = match &rule.keys {
        KeySource::Inline(jwks) => jwks,
        KeySource::Uri(_) => {
            return Err(vec![unsupported(resource, &format!("{path}.jwksUri"), "`jwksUri`")]);
        }
        KeySource::Discovery => {
            let what = "finding the keys of an issuer by OpenID Connect discovery";
            return Err(vec![unsupported(resource, &format!("{path}.issuer"), what)]);
        }
    };
    let path_of_keys = format!("{path}.jwks");
    let told = |remarks: Vec<Remark>| {
        let tell = |remark: Remark| {
            let message = format!("`keys[{}]` of the key set: {}", remark.index, remark.text);
            problem(resource, &path_of_keys, Severity::Warning, code::WARNING, message)
        };
        remarks.into_iter().map(tell).collect::<Vec<_>>()
    };
    let (keys, warnings) = match KeySet::parse(jwks) {
        Ok((keys, remarks)) => (keys, told(remarks)),
        Err(Unusable { text, remarks }) => {
            let mut errors =
                vec![problem(resource, &path_of_keys, Severity::Error, code::SCHEMA, text.to_owned())];
            errors.append(&mut told(remarks));
            return Err(errors);
        }
    };
    let provider = Provider {
        rule: RuleRef::new(resource, &path, index),
        issuer: rule.issuer.clone(),
        audiences: Audiences::new(&rule.audiences),
        keys,
        places: Places::new(rule),
        outputs: Outputs::new(rule),
        forward: rule.forward_original_token,
        space_delimited: rule.space_delimited_claims.clone(),
    };
    Ok((provider, warnings))
}

fn unsupported(resource: &Resource, path: &str, what: &str) -> Problem {
    let message = format!("{what} is not carried out yet");
    let mut problem = problem(resource, path, Severity::Error, code::UNSUPPORTED, message);
    problem.hint = Some("give the key set in `jwks`".to_owned());
    problem
}

fn problem(
    resource: &Resource,
    path: &str,
    severity: Severity,
    code: &'static str,
    message: String,
) -> Problem {
    Problem { severity, ..resource.error(path, code, message) }
}
