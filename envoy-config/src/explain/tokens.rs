//! Where each rule of a RequestAuthentication looks for tokens, and what it makes of those that it finds.

use std::fmt;

use outrigger_api::select::applies;
use outrigger_api::{Problem, Proxy, Resource, Spec};
use outrigger_core::jwt::looks;
use outrigger_core::{Now, Request};
use serde::Serialize;

use super::answer::Answer;
use super::human::step;
use crate::jwt::inspect::verdict;

/// Up to so many rules are told one by one.
const FEW: usize = 12;

/// So much of a token is shown, by which it is known and by nobody used.
const SHOWN: usize = 12;

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenRule {
    /// `ns/name[0]`
    pub rule: String,
    /// Its file.
    pub file: Option<String>,
    /// Its line.
    pub line: Option<u32>,
    /// Whether it only counts what it would refuse.
    pub dry_run: bool,
    /// Where it looks.
    pub places: Vec<String>,
    /// What it has found there.
    pub tokens: Vec<FoundToken>,
}

/// A token that a rule has found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FoundToken {
    /// Where.
    pub place: String,
    /// How it begins.
    pub token: String,
    /// `iss/sub`, if the rule takes it.
    pub principal: Option<String>,
    /// Why it does not.
    pub failure: Option<String>,
    /// What would pass.
    pub wanted: Option<String>,
}

/// The rules that apply to `proxy`.
///
/// # Errors
/// Those that can't be carried out.
pub fn rules(
    resources: &[Resource],
    request: &Request<'_>,
    now: Now,
    proxy: &Proxy,
) -> Result<Vec<TokenRule>, Vec<Problem>> {
    let written = written(resources, proxy);
    let lines = request.headers().iter().copied();
    let lines: Vec<_> =
        lines.filter(|(name, _)| !written.iter().any(|own| own.as_bytes() == *name)).collect();
    let request = request.seen_with(&lines, None);
    let mut found = Vec::new();
    for resource in resources.iter().filter(|_| proxy.receives()) {
        let Spec::RequestAuthentication(authentication) = &resource.spec else { continue };
        for (index, rule) in authentication.jwt_rules.iter().enumerate() {
            let judge = |token: &str| verdict(resource, authentication, (index, rule), token, now, proxy);
            // Of a token that is none only whether the rule is for this proxy.
            let Some(about) = judge("")? else { continue };
            let (mut places, mut tokens) = (Vec::new(), Vec::new());
            for look in looks(rule, &request) {
                for token in look.tokens {
                    let text = String::from_utf8_lossy(&token);
                    let Some(judged) = judge(&text)? else { continue };
                    tokens.push(FoundToken {
                        place: look.place.clone(),
                        token: begin(&text),
                        principal: judged.principal,
                        failure: judged.failure,
                        wanted: judged.wanted,
                    });
                }
                places.push(look.place);
            }
            found.push(TokenRule {
                rule: about.rule,
                file: about.file.as_deref().map(str::to_owned),
                line: about.line,
                dry_run: about.dry_run,
                places,
                tokens,
            });
        }
    }
    Ok(found)
}

/// The headers that rules write. What a client sends in them is removed before anybody looks for tokens.
fn written<'r>(resources: &'r [Resource], proxy: &Proxy) -> Vec<&'r str> {
    let mut names = Vec::new();
    for resource in resources {
        let Spec::RequestAuthentication(authentication) = &resource.spec else { continue };
        let namespace = &resource.meta.namespace;
        if authentication.annotations.dry_run || !applies(&authentication.target, namespace, proxy) {
            continue;
        }
        for rule in &authentication.jwt_rules {
            names.extend(rule.output_payload_to_header.as_deref());
            names.extend(rule.output_claim_to_headers.iter().map(|output| output.header.as_str()));
        }
    }
    names
}

fn begin(token: &str) -> String {
    let start: String = token.chars().filter(|letter| !letter.is_control()).take(SHOWN).collect();
    if start.len() == token.len() { start } else { format!("{start}…") }
}

/// Tells of the rules, unless one has taken a token and so all is said; with `all` of each.
pub(super) fn tell(out: &mut String, answer: &Answer, all: bool) -> fmt::Result {
    let taken = answer.jwt.as_ref().is_some_and(|jwt| jwt.principal.is_some());
    if taken && !all {
        return Ok(());
    }
    let shown = if all { usize::MAX } else { FEW };
    for rule in answer.jwt_rules.iter().take(shown) {
        let at = super::human::position(rule.file.as_deref(), rule.line);
        let tried = if rule.dry_run { ", tried out," } else { "" };
        let name = format!("{}{at}{tried}", rule.rule);
        if rule.tokens.is_empty() {
            step(out, "", &format!("{name} finds none: {}", rule.places.join(", ")))?;
        }
        for token in &rule.tokens {
            let judged = match (&token.failure, &token.principal) {
                (Some(failure), _) => format!("refuses it: {failure}"),
                (None, Some(principal)) => format!("takes it: {principal}"),
                (None, None) => "takes it".to_owned(),
            };
            let wanted = token.wanted.as_ref().map(|wanted| format!("; {wanted}")).unwrap_or_default();
            step(
                out,
                "",
                &format!("{name} finds `{}` in {} and {judged}{wanted}", token.token, token.place),
            )?;
        }
    }
    match answer.jwt_rules.len().checked_sub(shown) {
        Some(more) if more > 0 => step(out, "", &format!("and {more} rules more (--all lists them)")),
        _ => Ok(()),
    }
}
