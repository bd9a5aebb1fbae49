//! RequestAuthentication: where tokens stand, how they are verified, what a failure answers.
//!
//! The judge is Envoy's `jwt_authn` 1.40 as Istio configures it: one provider for each rule, any of them will do, and
//! a request without any token passes without an identity. Where this differs, it is stricter or keeps more of the
//! request:
//!
//! | | Envoy | here |
//! |---|---|---|
//! | JSON | protobuf's reader, which takes trailing commas, single quotes and bare names | RFC 8259 |
//! | header `crit` | ignored | refused, `Jwt verification fails` (RFC 7515 section 4.1.11) |
//! | header `b64`, if it is not `true` | ignored | refused likewise (RFC 7797 section 3) |
//! | an algorithm that is not of the key's kind, such as RS256 with an EC key or a secret | the key checks as is its kind, whatever `alg` is | refused |
//! | curve of an EC key | any, unless the key names one | that of `alg` (RFC 7518 section 3.4) |
//! | EC keys that are no point of their curve | left out | kept, and no signature fits them |
//! | length of an ECDSA signature | any: each half is a number, an odd byte at the end is not looked at | twice the curve's |
//! | RSA keys | from 512 bits | 1024 to 8192 bits |
//! | Ed25519 keys of small order, for which anybody can sign, and those that are no point | taken | left out |
//! | key sets that are a map of certificates (Google's other form) | taken | refused |
//! | what a rule did before one of several tokens failed: tokens taken out, claims written | stays done: later rules find the request so, and the rule itself may be asked again and find no token, by which the request passes | never happened |
//! | query once a token was taken out | sorted and decoded | otherwise as the client wrote it |
//! | list and object claims in headers | protobuf's JSON, members in any order | compact JSON, members sorted |

mod algorithm;
mod audience;
mod base64url;
mod cache;
mod compile;
mod der;
mod failure;
pub mod fetch;
mod fixed;
mod identity;
mod json;
mod jwk;
mod keys;
mod means;
mod outputs;
mod places;
mod provider;
#[cfg(feature = "rust-crypto")]
mod rust_crypto;
mod token;
mod verification_key;

use std::rc::Rc;
use std::time::Duration;

use outrigger_api::ordered;
use outrigger_api::{Problem, Proxy, Resource};

use crate::verdict::{HeaderOp, Reply};
use crate::{Now, Request, RuleRef};
use provider::{Parsed, Provider, Stop};

pub use algorithm::Algorithm;
pub use cache::{Cache, Counts};
pub use der::ecdsa_der;
pub use failure::Failure;
pub use identity::{Identity, claims_from_json};
pub use keys::KeySet;
pub use means::{Found, KeyStore, Means, NoKeys};
pub use places::{Look, looks};
pub use provider::CLOCK_SKEW;
#[cfg(feature = "rust-crypto")]
pub use rust_crypto::RustCrypto;
pub use token::malformed;
pub use verification_key::{KeyMaterial, Secret, SignatureVerifier, VerificationKey};

/// What the rules found in one request.
#[derive(Debug, Default)]
pub struct Outcome<'e> {
    /// The verified token, if there was one.
    pub identity: Option<Rc<Identity>>,
    /// Why the request is refused.
    pub failure: Option<Failure>,
    /// The rule that verified or refused.
    pub rule: Option<&'e RuleRef>,
    /// Request header changes: token removed, payload and claims put into headers.
    pub ops: Vec<HeaderOp<'e>>,
    /// Nothing is decided: keys are on their way, for which to wait so long at most.
    pub waits: Option<Duration>,
    /// Why the request would be refused, and by which rule, were it not for `outrigger.io/dry-run`.
    pub shadow: Option<(Failure, &'e RuleRef)>,
}

impl<'e> Outcome<'e> {
    /// What access logs get of it, such as `verified issuer/subject shop/cart[0]` or
    /// `refused Jwt is expired shop/cart[0]`; `None`: there was no token.
    pub fn record(&self) -> Option<String> {
        let rule = || self.rule.map(|rule| format!(" {rule}")).unwrap_or_default();
        if let Some(failure) = &self.failure {
            return Some(format!("refused {}{}", failure.text(), rule()));
        }
        if let Some((failure, rule)) = &self.shadow {
            return Some(format!("dry-run refused {} {rule}", failure.text()));
        }
        let principal = self.identity.as_ref().map(|identity| identity.principal());
        // Nothing in a token may look like the end of a log's field or line.
        let harmless = |text: String| text.replace(|letter: char| letter.is_control() || letter == '"', "_");
        Some(format!("verified {}{}", principal?.map_or_else(|| "-".to_owned(), harmless), rule()))
    }

    /// The answer to a refused request.
    pub fn reply(&self, request: &Request<'_>) -> Option<Reply<'e>> {
        self.failure.as_ref().map(|failure| failure.reply(request))
    }
}

/// Compiled JWT rules of one proxy.
#[derive(Debug)]
pub struct Rules {
    /// Sorted by issuer; those that only count what they would refuse come last.
    providers: Vec<Provider>,
    /// Where the keys of some are.
    sources: Vec<fetch::Source>,
    /// Headers that some rule writes, so that no client may.
    written: Vec<String>,
    warnings: Vec<Problem>,
}

impl Rules {
    /// Compiles every RequestAuthentication that applies to `proxy`.
    ///
    /// # Errors
    /// What can't be carried out, with its path; warnings come along.
    pub fn compile(resources: &[Resource], proxy: &Proxy) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let (mut providers, sources) = compile::providers(resources, proxy, &mut problems);
        if problems.iter().any(Problem::is_error) {
            return Err(problems);
        }
        let mut written: Vec<String> = Vec::new();
        for provider in providers.iter().filter(|provider| !provider.dry_run) {
            written.extend(provider.outputs.names().map(str::to_owned));
        }
        let written = ordered::distinct(written);
        providers.iter_mut().for_each(|provider| provider.places.forget_headers(&written));
        Ok(Self { providers, sources, written, warnings: problems })
    }

    /// Whether no RequestAuthentication applies.
    pub fn is_empty(&self) -> bool {
        self.providers.is_empty() && self.warnings.is_empty()
    }

    /// What is odd about the rules and yet can be carried out: keys of a set that can't be used, private keys.
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// Where keys have to be fetched from.
    pub fn sources(&self) -> &[fetch::Source] {
        &self.sources
    }

    /// Looks for tokens in `request` and verifies them.
    pub fn verify<'e>(&'e self, request: &Request<'_>, now: Now, means: &Means<'_>) -> Outcome<'e> {
        let mut outcome = Outcome { ops: self.sanitize(request), ..Outcome::default() };
        // A browser sends no credentials with a preflight.
        if request.is_cors_preflight() {
            return outcome;
        }
        let remembers = self.providers.iter().any(|provider| provider.remembers);
        let mut parsed = Parsed::new(means.cache.filter(|_| remembers));
        self.ask_each(request, &mut parsed, now, means, &mut outcome);
        parsed.remember();
        outcome
    }

    fn ask_each<'e, 'r>(
        &'e self,
        request: &Request<'r>,
        parsed: &mut Parsed<'r, '_>,
        now: Now,
        means: &Means<'_>,
        outcome: &mut Outcome<'e>,
    ) {
        let (mut failures, mut awaited) = (Vec::new(), None);
        let mut tried = false;
        for (number, provider) in self.providers.iter().enumerate() {
            if provider.dry_run && !tried {
                tried = true;
                self.conclude(&failures, awaited, outcome);
                if outcome.failure.is_some() || outcome.waits.is_some() {
                    return;
                }
            }
            match provider.authenticate((number, request), parsed, now, means) {
                None => {}
                Some(Ok((identity, mut ops))) => {
                    if !provider.dry_run {
                        outcome.identity = Some(identity);
                        outcome.rule = Some(&provider.rule);
                        outcome.ops.append(&mut ops);
                    }
                    return;
                }
                // The rule takes the token, so that no other is asked; the request can't go on all the same.
                Some(Err(Stop::Failed(failure @ Failure::InvalidHeaderValue(_)))) if !provider.dry_run => {
                    outcome.failure = Some(failure);
                    outcome.rule = Some(&provider.rule);
                    return;
                }
                Some(Err(Stop::Failed(failure))) => failures.push((failure, &provider.rule)),
                Some(Err(Stop::Keys(source))) => awaited = awaited.or(Some(source)),
            }
        }
        if tried {
            // Rules that are tried out do not hold a request until their keys are there.
            outcome.shadow = most_telling(&failures);
        } else {
            self.conclude(&failures, awaited, outcome);
        }
    }

    /// What comes of a request that no rule has taken.
    fn conclude<'e>(
        &'e self,
        failures: &[(Failure, &'e RuleRef)],
        awaited: Option<usize>,
        outcome: &mut Outcome<'e>,
    ) {
        if let Some(source) = awaited.and_then(|place| self.sources.get(place)) {
            outcome.waits = Some(source.timeout);
        } else if let Some((failure, rule)) = most_telling(failures) {
            outcome.failure = Some(failure);
            outcome.rule = Some(rule);
        }
    }

    /// Removes the client's copies of the headers that the rules write, whether there is a token or not.
    fn sanitize(&self, request: &Request<'_>) -> Vec<HeaderOp<'_>> {
        let sent = |name: &&String| request.header(name.as_bytes()).is_some();
        self.written.iter().filter(sent).map(|name| HeaderOp::Remove(name.as_str().into())).collect()
    }
}

/// The failure that Envoy tells: the first, unless that is an unknown issuer and another rule failed for a better
/// reason; then the last such.
fn most_telling<'e>(failures: &[(Failure, &'e RuleRef)]) -> Option<(Failure, &'e RuleRef)> {
    let better = |(failure, _): &&(Failure, &RuleRef)| *failure != Failure::JwtUnknownIssuer;
    let first = failures.first()?;
    let telling = if better(&first) { None } else { failures.iter().rfind(better) };
    Some(telling.unwrap_or(first).clone())
}

#[cfg(test)]
mod tests;
