//! The caller's own destination among several.

use std::time::Duration;

use outrigger_api::types::annotations::StickyKey;

use crate::sticky::{Keys, Sides};
use crate::verdict::HeaderOp;
use crate::{Draws, Request};

/// What keeps a caller at its destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept<'e> {
    /// What of the request decided.
    pub by: &'e StickyKey,
    /// The value of the cookie that the caller is to get, since it has none.
    pub new_cookie: Option<String>,
    pub(super) place: usize,
}

impl<'e> Kept<'e> {
    /// `None`: the request has none of the keys.
    pub(super) fn new(
        keys: &'e Keys,
        sides: &Sides,
        request: &Request<'_>,
        draws: &mut Draws,
    ) -> Option<Self> {
        let (by, value) = keys.find(request)?;
        let new_cookie = value.is_none().then(|| format!("{:08x}{:08x}", draws.word(), draws.word()));
        let value = value.as_deref().or(new_cookie.as_ref().map(String::as_bytes))?;
        Some(Self { by, place: sides.pick(keys.seed().hash(value))?, new_cookie })
    }

    /// The line by which the caller gets its cookie, as a change of the response.
    pub fn set_cookie(&self) -> Option<HeaderOp<'static>> {
        let line = self.set_cookie_line()?;
        Some(HeaderOp::Add("set-cookie".into(), line.into_bytes().into()))
    }

    /// The same as text.
    pub fn set_cookie_line(&self) -> Option<String> {
        let (StickyKey::Cookie { name, ttl }, Some(value)) = (self.by, &self.new_cookie) else { return None };
        let age = ttl.map_or(0, |ttl| Duration::as_secs(&ttl));
        Some(format!("{name}={value}; Max-Age={age}; Path=/; HttpOnly"))
    }
}
