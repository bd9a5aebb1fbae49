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
//! | RS256 and the like with an EC key, and the other way round | an EC key checks an ECDSA signature whatever `alg` is | refused |
//! | curve of an EC key | any, unless the key names one | that of `alg` (RFC 7518 section 3.4) |
//! | length of an ECDSA signature | any even one | twice the curve's |
//! | RSA keys | from 512 bits | 1024 to 8192 bits |
//! | query once a token was taken out | sorted and decoded | otherwise as the client wrote it |
//! | list and object claims in headers | protobuf's JSON, members in any order | compact JSON, members sorted |
//!
//! Not carried out yet, and told when compiled: `jwksUri`, discovery, and keys for HS256/384/512, ES512 and EdDSA.

mod audience;
mod base64url;
mod compile;
mod der;
mod failure;
mod identity;
mod json;
mod keys;
mod outputs;
mod places;
mod provider;
mod public_key;
#[cfg(feature = "rust-crypto")]
mod rust_crypto;
mod token;

use outrigger_api::ordered;
use outrigger_api::{Problem, Proxy, Resource};

use crate::verdict::{HeaderOp, Reply};
use crate::{Now, Request, RuleRef};
use provider::{Parsed, Provider};

pub use der::ecdsa_der;
pub use failure::Failure;
pub use identity::{Identity, claims_from_json};
pub use jsonwebtoken::Algorithm;
pub use public_key::{KeyMaterial, PublicKey, SignatureVerifier};
#[cfg(feature = "rust-crypto")]
pub use rust_crypto::RustCrypto;

/// What the rules found in one request.
#[derive(Debug)]
pub struct Outcome<'e> {
    /// The verified token, if there was one.
    pub identity: Option<Identity>,
    /// Why the request is refused.
    pub failure: Option<Failure>,
    /// The rule that verified or refused.
    pub rule: Option<&'e RuleRef>,
    /// Request header changes: token removed, payload and claims put into headers.
    pub ops: Vec<HeaderOp<'e>>,
}

impl<'e> Outcome<'e> {
    /// The answer to a refused request.
    pub fn reply(&self, request: &Request<'_>) -> Option<Reply<'e>> {
        self.failure.as_ref().map(|failure| failure.reply(request))
    }
}

/// Compiled JWT rules of one proxy.
#[derive(Debug)]
pub struct Rules {
    /// Sorted by issuer.
    providers: Vec<Provider>,
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
        let mut providers = compile::providers(resources, proxy, &mut problems);
        if problems.iter().any(Problem::is_error) {
            return Err(problems);
        }
        let mut written: Vec<String> =
            providers.iter().flat_map(|provider| provider.outputs.names()).map(str::to_owned).collect();
        ordered::sort(&mut written);
        written.dedup();
        providers.iter_mut().for_each(|provider| provider.places.forget_headers(&written));
        Ok(Self { providers, written, warnings: problems })
    }

    /// Whether no RequestAuthentication applies.
    pub fn is_empty(&self) -> bool {
        self.providers.is_empty() && self.warnings.is_empty()
    }

    /// What is odd about the rules and yet can be carried out: keys of a set that can't be used, private keys.
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// Looks for tokens in `request` and verifies them.
    pub fn verify<'e>(
        &'e self,
        request: &Request<'_>,
        now: Now,
        verifier: &dyn SignatureVerifier,
    ) -> Outcome<'e> {
        let mut outcome = Outcome { identity: None, failure: None, rule: None, ops: self.sanitize(request) };
        // A browser sends no credentials with a preflight.
        if request.is_cors_preflight() {
            return outcome;
        }
        let mut parsed = Parsed::default();
        let mut failures = Vec::new();
        for provider in &self.providers {
            match provider.authenticate(request, &mut parsed, now, verifier) {
                None => {}
                Some(Ok((identity, mut ops))) => {
                    outcome.identity = Some(identity);
                    outcome.rule = Some(&provider.rule);
                    outcome.ops.append(&mut ops);
                    return outcome;
                }
                Some(Err(failure)) => failures.push((failure, &provider.rule)),
            }
        }
        if let Some((failure, rule)) = most_telling(failures) {
            outcome.failure = Some(failure);
            outcome.rule = Some(rule);
        }
        outcome
    }

    /// Removes the client's copies of the headers that the rules write, whether there is a token or not.
    fn sanitize(&self, request: &Request<'_>) -> Vec<HeaderOp<'_>> {
        let sent = |name: &&String| request.header(name.as_bytes()).is_some();
        self.written.iter().filter(sent).map(|name| HeaderOp::Remove(name.as_str().into())).collect()
    }
}

/// The failure that Envoy tells: the first, unless that is an unknown issuer and another rule failed for a better
/// reason; then the last such.
fn most_telling(mut failures: Vec<(Failure, &RuleRef)>) -> Option<(Failure, &RuleRef)> {
    let better = |(failure, _): &(Failure, &RuleRef)| *failure != Failure::JwtUnknownIssuer;
    if failures.is_empty() {
        return None;
    }
    let first_is_better = failures.first().is_some_and(better);
    let index = if first_is_better { 0 } else { failures.iter().rposition(better).unwrap_or_default() };
    Some(failures.swap_remove(index))
}

#[cfg(test)]
mod tests;
