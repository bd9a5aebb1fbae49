//! One `jwtRules` entry, compiled: Envoy calls it a provider.

use std::borrow::Cow;
use std::rc::Rc;

use super::audience::Audiences;
use super::failure::Failure;
use super::identity::Identity;
use super::keys::KeySet;
use super::outputs::Outputs;
use super::places::Places;
use super::public_key::SignatureVerifier;
use super::token::Token;
use crate::verdict::HeaderOp;
use crate::{Now, Request, RuleRef};

/// How far clocks may differ, in seconds: Envoy's default, which Istio leaves alone.
const CLOCK_SKEW: u64 = 60;

/// Claims that Istio always splits at spaces.
const SPACE_DELIMITED: [&str; 2] = ["scope", "permission"];

/// A rule ready for requests.
#[derive(Debug)]
pub(crate) struct Provider {
    pub(crate) rule: RuleRef,
    /// Empty: any issuer.
    pub(crate) issuer: String,
    pub(crate) audiences: Audiences,
    pub(crate) keys: KeySet,
    pub(crate) places: Places,
    pub(crate) outputs: Outputs,
    /// `forwardOriginalToken`
    pub(crate) forward: bool,
    /// `spaceDelimitedClaims`, besides those that are always split.
    pub(crate) space_delimited: Vec<String>,
}

/// Tokens taken apart in this request, so that several rules parse each but once.
#[derive(Debug, Default)]
pub(crate) struct Parsed<'r>(Vec<(Cow<'r, [u8]>, ParsedToken)>);

type ParsedToken = Result<Rc<Token>, Failure>;

impl<'r> Parsed<'r> {
    fn get(&mut self, text: Cow<'r, [u8]>) -> ParsedToken {
        if let Some((_, parsed)) = self.0.iter().find(|(known, _)| *known == text) {
            return parsed.clone();
        }
        let parsed = Token::parse(&text).map(Rc::new);
        self.0.push((text, parsed.clone()));
        parsed
    }
}

impl Provider {
    /// Verifies every token at this rule's places: `None` if there is none. All must be good. As in Envoy the last
    /// one found is verified first, and the first one found is the one that counts.
    pub(crate) fn authenticate<'e, 'r>(
        &'e self,
        request: &Request<'r>,
        parsed: &mut Parsed<'r>,
        now: Now,
        verifier: &dyn SignatureVerifier,
    ) -> Option<Result<(Identity, Vec<HeaderOp<'e>>), Failure>> {
        let tokens = self.places.find(request);
        (!tokens.is_empty()).then(|| {
            let mut ops = Vec::new();
            let mut path = None;
            let mut counts = None;
            for (place, text) in tokens.into_iter().rev() {
                let token = parsed.get(text)?;
                self.check(&token, now, verifier)?;
                self.outputs.write(&token, &mut ops)?;
                if !self.forward {
                    place.remove(&mut ops, &mut path, request);
                }
                counts = Some(token);
            }
            ops.extend(path.map(|path| HeaderOp::Set(":path".into(), path.into())));
            let claims = counts.map(|token| token.claims.clone()).unwrap_or_default();
            let configured = self.space_delimited.iter().map(String::as_str);
            Ok((Identity::new(claims, SPACE_DELIMITED.into_iter().chain(configured)), ops))
        })
    }

    fn check(&self, token: &Token, now: Now, verifier: &dyn SignatureVerifier) -> Result<(), Failure> {
        if !self.issuer.is_empty() && self.issuer != token.issuer {
            return Err(Failure::JwtUnknownIssuer);
        }
        let now = now.0.as_secs();
        if now.saturating_add(CLOCK_SKEW) < token.not_before {
            return Err(Failure::JwtNotYetValid);
        }
        if token.expiry != 0 && now > token.expiry.saturating_add(CLOCK_SKEW) {
            return Err(Failure::JwtExpired);
        }
        if !self.audiences.allow(&token.audiences) {
            return Err(Failure::JwtAudienceNotAllowed);
        }
        self.keys.verify(token, verifier)
    }
}
