//! One `jwtRules` entry, compiled: Envoy calls it a provider.

use std::borrow::Cow;
use std::rc::Rc;

use super::audience::Audiences;
use super::cache::{Cache, Hash, Known};
use super::failure::Failure;
use super::identity::Identity;
use super::keys::KeySet;
use super::means::{Found, Means};
use super::outputs::Outputs;
use super::places::Places;
use super::token::Token;
use crate::verdict::HeaderOp;
use crate::{Now, Request, RuleRef};

/// How far clocks may differ, in seconds: Envoy's default, which Istio leaves alone.
pub const CLOCK_SKEW: u64 = 60;

/// Claims that Istio always splits at spaces.
const SPACE_DELIMITED: [&str; 2] = ["scope", "permission"];

/// A rule ready for requests.
#[derive(Debug)]
pub(crate) struct Provider {
    pub(crate) rule: RuleRef,
    /// Empty: any issuer.
    pub(crate) issuer: String,
    pub(crate) audiences: Audiences,
    pub(crate) keys: Keys,
    pub(crate) places: Places,
    pub(crate) outputs: Outputs,
    /// `forwardOriginalToken`
    pub(crate) forward: bool,
    /// `spaceDelimitedClaims`, besides those that are always split.
    pub(crate) space_delimited: Vec<String>,
    /// Whether signatures that were checked are remembered.
    pub(crate) remembers: bool,
    /// Whether it only counts what it would refuse.
    pub(crate) dry_run: bool,
}

/// The keys of a rule.
#[derive(Debug)]
pub(crate) enum Keys {
    /// These.
    Inline(KeySet),
    /// Those of the source at this place.
    Fetched(usize),
}

/// Why a rule does not take a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It is bad.
    Failed(Failure),
    /// The keys of the source at this place have to come first.
    Keys(usize),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// A token that was not known: its text, by what the cache finds it, and what is known now.
type Fresh<'r> = (Cow<'r, [u8]>, Option<Hash>, Rc<Known>);

/// Tokens taken apart in this request, so that several rules parse each but once.
#[derive(Debug)]
pub(crate) struct Parsed<'r, 'c> {
    tokens: Vec<Fresh<'r>>,
    cache: Option<&'c Cache>,
}

impl<'r, 'c> Parsed<'r, 'c> {
    pub(crate) fn new(cache: Option<&'c Cache>) -> Self {
        Self { tokens: Vec::new(), cache }
    }

    fn get(&mut self, text: Cow<'r, [u8]>) -> Rc<Known> {
        if let Some((.., known)) = self.tokens.iter().find(|(seen, ..)| *seen == text) {
            return Rc::clone(known);
        }
        let mut hash = None;
        if let Some(cache) = self.cache {
            let (of_text, found) = cache.find(&text);
            if let Some(known) = found {
                return known;
            }
            hash = Some(of_text);
        }
        let known = Rc::new(Known::parse(&text));
        self.tokens.push((text, hash, Rc::clone(&known)));
        known
    }

    /// Hands what was found out to the cache.
    pub(crate) fn remember(self) {
        let Some(cache) = self.cache else { return };
        for (text, hash, known) in self.tokens {
            if let Some(hash) = hash {
                cache.insert(hash, &text, known);
            }
        }
    }
}

/// An identity, and what the request is changed by.
pub(crate) type Taken<'e> = (Rc<Identity>, Vec<HeaderOp<'e>>);

impl Provider {
    /// Verifies every token at this rule's places: `None` if there is none. All must be good. As in Envoy the last
    /// one found is verified first, and the first one found is the one that counts.
    pub(crate) fn authenticate<'e, 'r>(
        &'e self,
        (number, request): (usize, &Request<'r>),
        parsed: &mut Parsed<'r, '_>,
        now: Now,
        means: &Means<'_>,
    ) -> Option<Result<Taken<'e>, Stop>> {
        let tokens = self.places.find(request);
        (!tokens.is_empty()).then(|| {
            let mut ops = Vec::new();
            let mut path = None;
            let (mut counts, mut unusable) = (None, None);
            for (place, text) in tokens.into_iter().rev() {
                let known = parsed.get(text);
                let token = known.token.as_ref().map_err(Clone::clone)?;
                self.check(token, now)?;
                counts = Some(self.identity(number, &known, token, means)?);
                let told = self.outputs.write(token, &mut ops);
                unusable = unusable.or(told);
                if !self.forward {
                    place.remove(&mut ops, &mut path, request);
                }
            }
            ops.extend(path.map(|path| HeaderOp::Set(":path".into(), path.into())));
            unusable.map_or(Ok((counts.unwrap_or_default(), ops)), |failure| Err(failure.into()))
        })
    }

    /// What takes no key.
    fn check(&self, token: &Token, now: Now) -> Result<(), Failure> {
        if !self.issuer.is_empty() && self.issuer != token.issuer() {
            return Err(Failure::JwtUnknownIssuer);
        }
        let now = now.0.as_secs();
        if now.saturating_add(CLOCK_SKEW) < token.not_before {
            return Err(Failure::JwtNotYetValid);
        }
        if token.expiry != 0 && now > token.expiry.saturating_add(CLOCK_SKEW) {
            return Err(Failure::JwtExpired);
        }
        if !self.audiences.allow(token.audiences()) {
            return Err(Failure::JwtAudienceNotAllowed);
        }
        Ok(())
    }

    /// Whom the token speaks for, if one of the rule's keys has signed it.
    fn identity(
        &self,
        number: usize,
        known: &Known,
        token: &Token,
        means: &Means<'_>,
    ) -> Result<Rc<Identity>, Stop> {
        let source = match &self.keys {
            Keys::Inline(keys) => return Ok(self.verify(number, known, token, (keys, 0), means)?),
            Keys::Fetched(source) => *source,
        };
        let verify = |found| match found {
            Found::Keys(keys, version) => Ok(self.verify(number, known, token, (&keys, version), means)?),
            Found::Wait => Err(Stop::Keys(source)),
            Found::Failed => Err(Failure::JwksFetchFail.into()),
        };
        let verified = verify(means.keys.find(source));
        if verified != Err(Stop::Failed(Failure::JwksKidAlgMismatch)) {
            return verified;
        }
        // The key may be a new one.
        match means.keys.find_newer(source) {
            Found::Failed => verified,
            newer => verify(newer),
        }
    }

    fn verify(
        &self,
        number: usize,
        known: &Known,
        token: &Token,
        (keys, version): (&KeySet, u64),
        means: &Means<'_>,
    ) -> Result<Rc<Identity>, Failure> {
        if self.remembers
            && let Some(outcome) = known.outcome(number, version)
        {
            return outcome;
        }
        let outcome = keys.verify(token, means.verifier).map(|()| {
            let configured = self.space_delimited.iter().map(String::as_str);
            Rc::new(Identity::new(Rc::clone(&token.claims), SPACE_DELIMITED.into_iter().chain(configured)))
        });
        if self.remembers {
            known.keep(number, version, outcome.clone());
        }
        outcome
    }
}
