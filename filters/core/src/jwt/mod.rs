//! RequestAuthentication: where tokens stand, how they are verified, what a failure answers.

mod der;
mod public_key;
#[cfg(feature = "rust-crypto")]
mod rust_crypto;

use outrigger_api::{Problem, Proxy, Resource};

use crate::verdict::{HeaderOp, Reply};
use crate::{Now, Request, RuleRef};

pub use der::ecdsa_der;
pub use public_key::{KeyMaterial, PublicKey, SignatureVerifier};
#[cfg(feature = "rust-crypto")]
pub use rust_crypto::RustCrypto;

/// A verified token.
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    /// The token's payload.
    pub claims: serde_json::Map<String, serde_json::Value>,
}

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

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {}

impl<'e> Outcome<'e> {
    /// The answer to a refused request.
    pub fn reply(&self, _request: &Request<'_>) -> Option<Reply<'e>> {
        None
    }
}

/// Compiled JWT rules of one proxy.
#[derive(Debug)]
pub struct Rules {}

impl Rules {
    /// Compiles every RequestAuthentication that applies to `proxy`.
    ///
    /// # Errors
    /// What can't be carried out, with its path.
    pub fn compile(_resources: &[Resource], _proxy: &Proxy) -> Result<Self, Vec<Problem>> {
        Ok(Self {})
    }

    /// Looks for tokens in `request` and verifies them.
    pub fn verify<'e>(
        &'e self,
        _request: &Request<'_>,
        _now: Now,
        _verifier: &dyn SignatureVerifier,
    ) -> Outcome<'e> {
        Outcome { identity: None, failure: None, rule: None, ops: Vec::new() }
    }
}
