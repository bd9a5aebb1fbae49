//! What verifying a token takes besides the rules.

use std::rc::Rc;

use super::cache::Cache;
use super::keys::KeySet;
use super::verification_key::SignatureVerifier;

/// What is at hand for the tokens of one request.
pub struct Means<'m> {
    /// Checks signatures.
    pub verifier: &'m dyn SignatureVerifier,
    /// Has the keys that are fetched.
    pub keys: &'m dyn KeyStore,
    /// What is known of tokens that were seen before. `None`: each is verified anew.
    pub cache: Option<&'m Cache>,
}

impl<'m> Means<'m> {
    /// Without any fetched keys, and without a memory: for one request offline.
    pub fn offline(verifier: &'m dyn SignatureVerifier) -> Self {
        Self { verifier, keys: &NoKeys, cache: None }
    }
}

impl std::fmt::Debug for Means<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Means").finish_non_exhaustive()
    }
}

/// Keys that are fetched, by the place of their source in [`super::Rules::sources`].
pub trait KeyStore {
    /// The keys of a source.
    fn find(&self, source: usize) -> Found;

    /// Called when a token names a key that the set has not: it may be newer than the set. [`Found::Failed`] if
    /// there is no reason to think so.
    fn find_newer(&self, source: usize) -> Found;
}

/// What a [`KeyStore`] has.
#[derive(Debug, Clone)]
pub enum Found {
    /// Keys, and which version of the set they are: it grows with each change.
    Keys(Rc<KeySet>, u64),
    /// They are on their way: the request should be held, and asked about again.
    Wait,
    /// There are none.
    Failed,
}

/// Has no keys.
#[derive(Debug, Clone, Copy)]
pub struct NoKeys;

impl KeyStore for NoKeys {
    fn find(&self, _: usize) -> Found {
        Found::Failed
    }

    fn find_newer(&self, _: usize) -> Found {
        Found::Failed
    }
}
