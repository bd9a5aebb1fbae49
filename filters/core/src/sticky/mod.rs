//! What stays the same for one caller: a key of the request, hashed to a point that never changes.

mod hash;
pub mod sides;

use std::borrow::Cow;
use std::fmt::Write as _;

use outrigger_api::types::annotations::StickyKey;
use serde_json::Value;

use crate::jwt::Identity;
use crate::{Attributes, Request};

pub use hash::Seed;
pub use sides::Sides;

/// The keys of one annotation, and where hashing begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    keys: Box<[StickyKey]>,
    seed: Seed,
}

impl Keys {
    /// `keys` in order of preference. `resource` and `purpose` set these points apart from others: a caller that is
    /// early in one canary is not so in each. `None`: there are no keys.
    pub fn new(keys: &[StickyKey], resource: &str, purpose: &str) -> Option<Self> {
        (!keys.is_empty()).then(|| Self { keys: keys.into(), seed: Seed::new(purpose, resource) })
    }

    /// Where hashing begins.
    pub fn seed(&self) -> Seed {
        self.seed
    }

    /// The first key that `request` has, with its value. A cookie that is to be given is returned as absent.
    pub fn find<'e, 'r>(&'e self, request: &Request<'r>) -> Option<(&'e StickyKey, Option<Cow<'r, [u8]>>)> {
        self.keys.iter().find_map(|key| match (value(key, request), key) {
            (Some(value), _) => Some((key, Some(value))),
            (None, StickyKey::Cookie { ttl: Some(_), .. }) => Some((key, None)),
            (None, _) => None,
        })
    }

    /// What they ask of a request beyond its headers.
    pub fn attributes(&self) -> Attributes {
        self.keys.iter().fold(Attributes::none(), |all, key| match key {
            StickyKey::SourceAddress => all | Attributes::REMOTE_IP,
            StickyKey::Claim(_) => all | Attributes::CLAIMS,
            StickyKey::Header(_) | StickyKey::Cookie { .. } => all,
        })
    }
}

/// The value of `key`, if the request has one that is not empty.
fn value<'r>(key: &StickyKey, request: &Request<'r>) -> Option<Cow<'r, [u8]>> {
    let found = match key {
        StickyKey::Header(name) => Cow::Borrowed(request.header(name.as_bytes())?),
        StickyKey::Cookie { name, .. } => Cow::Borrowed(cookie(request, name.as_bytes())?),
        StickyKey::Claim(path) => Cow::Owned(claim(path, request.identity()?)?),
        StickyKey::SourceAddress => {
            let mut text = String::new();
            // Writing to a string does not fail.
            let _ = write!(text, "{}", request.connection.remote_ip?.to_canonical());
            Cow::Owned(text.into_bytes())
        }
    };
    (!found.is_empty()).then_some(found)
}

/// The first cookie `name`, without quotes around its value.
fn cookie<'r>(request: &Request<'r>, name: &[u8]) -> Option<&'r [u8]> {
    let pairs = request.header_lines(b"cookie").flat_map(|line| line.split(|byte| *byte == b';'));
    let value = pairs.map(<[u8]>::trim_ascii).find_map(|pair| pair.strip_prefix(name)?.strip_prefix(b"="))?;
    Some(value.strip_prefix(b"\"").and_then(|inner| inner.strip_suffix(b"\"")).unwrap_or(value))
}

/// A claim that is a text, a number or a boolean.
fn claim(path: &[String], identity: &Identity) -> Option<Vec<u8>> {
    let (first, rest) = path.split_first()?;
    let found = rest.iter().try_fold(identity.get(first)?, |value, part| value.get(part))?;
    match found {
        Value::String(text) => Some(text.as_bytes().to_vec()),
        Value::Number(_) | Value::Bool(_) => serde_json::to_vec(found).ok(),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests;
