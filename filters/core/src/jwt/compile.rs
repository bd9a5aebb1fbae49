//! From RequestAuthentications to providers.

use outrigger_api::ordered;
use outrigger_api::problem::code;
use outrigger_api::select::{applies, by_age};
use outrigger_api::types::request_authentication::{JwtAnnotations, JwtRule, KeySource};
use outrigger_api::{Problem, Proxy, Resource, Severity, Spec};

use super::audience::Audiences;
use super::fetch::{Location, Source};
use super::keys::{KeySet, Remark, Unusable};
use super::outputs::Outputs;
use super::places::Places;
use super::provider::{Keys, Provider};
use crate::RuleRef;

/// The rules for `proxy`, in Istio's order: those of the root namespace before those of the proxy's, older resources
/// before younger ones, and then sorted by issuer; and the sources of their keys. What is wrong goes to `problems`,
/// warnings included.
pub(super) fn providers(
    resources: &[Resource],
    proxy: &Proxy,
    problems: &mut Vec<Problem>,
) -> (Vec<Provider>, Vec<Source>) {
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
    let (mut providers, mut sources) = (Vec::new(), Vec::new());
    for (resource, policy) in policies {
        for (index, rule) in policy.jwt_rules.iter().enumerate() {
            match provider((resource, index), rule, &policy.annotations, &mut sources) {
                Ok((provider, mut warnings)) => {
                    providers.push(provider);
                    problems.append(&mut warnings);
                }
                Err(mut errors) => problems.append(&mut errors),
            }
        }
    }
    ordered::sort_by(&mut providers, |one: &Provider, other: &Provider| {
        one.dry_run.cmp(&other.dry_run).then_with(|| one.issuer.cmp(&other.issuer))
    });
    (providers, sources)
}

fn provider(
    (resource, index): (&Resource, usize),
    rule: &JwtRule,
    annotations: &JwtAnnotations,
    sources: &mut Vec<Source>,
) -> Result<(Provider, Vec<Problem>), Vec<Problem>> {
    let path = format!("spec.jwtRules[{index}]");
    let mut fetched = |field: &str, location: Result<Location, String>| {
        let location = location.map_err(|message| {
            let error = resource.error(&format!("{path}.{field}"), code::SCHEMA, message);
            let hint = "give the key set in `jwks`, or its address in `jwksUri`".to_owned();
            vec![Problem { hint: Some(hint), ..error }]
        })?;
        let source = Source::new(location, rule, annotations);
        Ok((Keys::Fetched(place_of(source, sources)), Vec::new()))
    };
    let (keys, warnings) = match &rule.keys {
        KeySource::Inline(jwks) => inline(resource, &format!("{path}.jwks"), jwks),
        KeySource::Uri(uri) => fetched("jwksUri", Location::keys(uri)),
        KeySource::Discovery => fetched("issuer", Location::discovery(&rule.issuer)),
    }?;
    let provider = Provider {
        rule: RuleRef::new(resource, &path, index),
        issuer: rule.issuer.clone(),
        audiences: Audiences::new(&rule.audiences),
        keys,
        places: Places::new(rule),
        outputs: Outputs::new(rule),
        forward: rule.forward_original_token,
        space_delimited: rule.space_delimited_claims.clone(),
        remembers: annotations.token_cache,
        dry_run: annotations.dry_run,
    };
    Ok((provider, warnings))
}

/// Rules that say the same of their keys share them.
fn place_of(source: Source, sources: &mut Vec<Source>) -> usize {
    sources.iter().position(|known| *known == source).unwrap_or_else(|| {
        sources.push(source);
        sources.len().saturating_sub(1)
    })
}

/// The keys that stand in a rule, and what is odd about them.
fn inline(resource: &Resource, path: &str, jwks: &str) -> Result<(Keys, Vec<Problem>), Vec<Problem>> {
    let told = |remarks: Vec<Remark>| {
        let tell = |remark: Remark| {
            let message = format!("`keys[{}]` of the key set: {}", remark.index, remark.text);
            problem(resource, path, Severity::Warning, code::WARNING, message)
        };
        remarks.into_iter().map(tell).collect::<Vec<_>>()
    };
    match KeySet::parse(jwks) {
        Ok((keys, remarks)) => Ok((Keys::Inline(keys), told(remarks))),
        Err(Unusable { text, remarks }) => {
            let mut errors = vec![problem(resource, path, Severity::Error, code::SCHEMA, text.to_owned())];
            errors.append(&mut told(remarks));
            Err(errors)
        }
    }
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
