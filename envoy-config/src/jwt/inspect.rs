//! A token held against the rules of RequestAuthentications, one after the other, by the code that decides in the proxy.

use std::sync::Arc;

use outrigger_api::types::request_authentication::{JwtHeader, JwtRule, RequestAuthentication};
use outrigger_api::{Problem, Proxy, Resource, Spec};
use outrigger_core::jwt::{Means, Rules, RustCrypto};
use outrigger_core::{Connection, Now, Request};
use serde::Serialize;

use super::parts::Parts;
use super::wanted;

/// What a rule does with the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// `namespace/name[index]` of the rule.
    pub rule: String,
    /// The file it stands in.
    pub file: Option<Arc<str>>,
    /// Its line, from 1.
    pub line: Option<u32>,
    /// `iss/sub` if the rule takes the token: its signature is verified then, and only then.
    pub principal: Option<String>,
    /// Why it does not, in the words of the answer.
    pub failure: Option<String>,
    /// What would pass.
    pub wanted: Option<String>,
    /// Whether the rule only counts what it would refuse (`outrigger.io/dry-run`).
    pub dry_run: bool,
}

impl Verdict {
    /// Whether the rule takes the token.
    pub fn accepted(&self) -> bool {
        self.failure.is_none()
    }
}

/// A token, and what the rules make of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inspection {
    /// What stands in it.
    #[serde(flatten)]
    pub parts: Parts,
    /// Whether a rule takes it, which then has verified its signature; `None` if no rules were given.
    pub accepted: Option<bool>,
    /// What each rule makes of it. Empty if no rules were given, or none is for this proxy.
    pub rules: Vec<Verdict>,
}

impl Inspection {
    /// Takes `token` apart; with `resources`, holds it against those that apply to `proxy`, wherever they look for
    /// tokens.
    ///
    /// # Errors
    /// Rules that can't be carried out.
    pub fn new(
        token: &str,
        now: Now,
        resources: Option<&[Resource]>,
        proxy: &Proxy,
    ) -> Result<Self, Vec<Problem>> {
        let parts = Parts::new(token, now);
        let Some(resources) = resources else { return Ok(Self { parts, accepted: None, rules: Vec::new() }) };
        // All at once, for everything that is wrong with them.
        Rules::compile(resources, proxy)?;
        let mut rules = Vec::new();
        for resource in resources {
            let Spec::RequestAuthentication(authentication) = &resource.spec else { continue };
            for (index, rule) in authentication.jwt_rules.iter().enumerate() {
                rules.extend(verdict(resource, authentication, (index, rule), token, now, proxy)?);
            }
        }
        let accepted = rules.iter().any(Verdict::accepted);
        Ok(Self { parts, accepted: Some(accepted), rules })
    }
}

/// The header in which each rule is made to look for the token. No header has such a name, so that no rule writes it, which
/// would have it looked for nowhere.
const PLACE: &str = "the token";

/// What one rule alone makes of the token; `None` if it is not for this proxy.
///
/// # Errors
/// The rule can't be carried out.
pub(crate) fn verdict(
    resource: &Resource,
    authentication: &RequestAuthentication,
    (index, rule): (usize, &JwtRule),
    token: &str,
    now: Now,
    proxy: &Proxy,
) -> Result<Option<Verdict>, Vec<Problem>> {
    let alone = JwtRule {
        from_headers: vec![JwtHeader { name: PLACE.to_owned(), prefix: String::new() }],
        from_params: Vec::new(),
        from_cookies: Vec::new(),
        ..rule.clone()
    };
    let dry_run = authentication.annotations.dry_run;
    let mut authentication = RequestAuthentication { jwt_rules: vec![alone], ..authentication.clone() };
    // A rule that is tried out tells nothing of a token that it takes.
    authentication.annotations.dry_run = false;
    let mut one = resource.clone();
    one.spec = Spec::RequestAuthentication(authentication);
    let rules = Rules::compile(&[one], proxy)?;
    if rules.is_empty() {
        return Ok(None);
    }
    let lines = [(PLACE.as_bytes(), token.as_bytes())];
    let request = Request::new(&lines, &Connection::UNKNOWN);
    let outcome = rules.verify(&request, now, &Means::offline(&RustCrypto));
    let wanted = outcome.failure.as_ref().and_then(|failure| wanted::by(rule, failure));
    let unknown = outcome.identity.is_none() && outcome.failure.is_none();
    let path = format!("spec.jwtRules[{index}]");
    Ok(Some(Verdict {
        rule: format!("{}[{index}]", resource.id()),
        file: resource.source.file.clone(),
        line: resource.position(&path).map(|position| position.line),
        principal: outcome.identity.and_then(|identity| identity.principal()),
        failure: match (outcome.failure, unknown) {
            (Some(failure), _) => Some(failure.text()),
            // Never said of a token that nobody has verified.
            (None, true) => Some("no token was found".to_owned()),
            (None, false) => None,
        },
        wanted,
        dry_run,
    }))
}
