//! What the engine answers: one value that says what to do with the request and why.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use crate::{authz, fault, jwt, route};

/// A change of a header map. Names are in lower case; `:path` and `:authority` are changed the same way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderOp<'e> {
    /// Replace every line of the header, or add it (Envoy `OVERWRITE_IF_EXISTS_OR_ADD`).
    Set(Cow<'e, str>, Cow<'e, [u8]>),
    /// Add a line (Envoy `APPEND_IF_EXISTS_OR_ADD`).
    Add(Cow<'e, str>, Cow<'e, [u8]>),
    /// Remove every line.
    Remove(Cow<'e, str>),
}

impl HeaderOp<'_> {
    /// The same change, borrowed.
    pub fn borrowed(&self) -> HeaderOp<'_> {
        match self {
            Self::Set(name, value) => HeaderOp::Set(Cow::Borrowed(name), Cow::Borrowed(value)),
            Self::Add(name, value) => HeaderOp::Add(Cow::Borrowed(name), Cow::Borrowed(value)),
            Self::Remove(name) => HeaderOp::Remove(Cow::Borrowed(name)),
        }
    }
}

/// An answer given in place of the upstream's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply<'e> {
    /// HTTP status, 200 to 599.
    pub status: u16,
    /// Response headers besides `:status`.
    pub headers: Vec<(Cow<'e, str>, Cow<'e, [u8]>)>,
    /// Body; for a gRPC request Envoy turns it into `grpc-message`.
    pub body: Cow<'e, [u8]>,
    /// Envoy's response code details, as the native filter would give them.
    pub details: Cow<'e, str>,
    /// gRPC status for a gRPC request; `None` lets Envoy map the HTTP status.
    pub grpc_status: Option<u32>,
}

impl Reply<'_> {
    /// The same answer, free of the engine: for a request that is held first.
    pub fn into_owned(self) -> Reply<'static> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        Reply {
            status: self.status,
            headers: self
                .headers
                .into_iter()
                .map(|(name, value)| (own(name), Cow::Owned(value.into_owned())))
                .collect(),
            body: Cow::Owned(self.body.into_owned()),
            details: own(self.details),
            grpc_status: self.grpc_status,
        }
    }
}

/// What to do with the request, once [`Verdict::hold`] has passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<'e> {
    /// Let it go on, with these request headers changed in order.
    Forward(Vec<HeaderOp<'e>>),
    /// Answer it here.
    Reply(Reply<'e>),
    /// Nothing can be decided until keys are there: hold it, for [`Verdict::hold`] at most, and ask again.
    Wait,
}

/// The engine's answer. The parts borrow from the engine; a part is `None` where that policy was not asked or has
/// nothing to say.
#[derive(Debug)]
pub struct Verdict<'e> {
    /// What the JWT rules found.
    pub jwt: Option<jwt::Outcome<'e>>,
    /// What the authorization policies decided.
    pub authz: Option<authz::Decision<'e>>,
    /// The fault drawn for this request.
    pub fault: Option<fault::Injection<'e>>,
    /// The route taken.
    pub route: Option<route::Choice<'e>>,
    /// Of a request that is refused, the Envoy cluster that it would have gone to: metrics tell of its service.
    pub missed: Option<Arc<str>>,
    /// How long to hold the request before `outcome`.
    pub hold: Duration,
    /// Changes to the headers of the response, if the request is forwarded.
    pub response: Option<route::ResponseChanges>,
    /// What to do.
    pub outcome: Outcome<'e>,
}

impl Verdict<'_> {
    /// No policy has anything to say: the request goes on as it is.
    pub(crate) fn nothing() -> Self {
        let outcome = Outcome::Forward(Vec::new());
        Self {
            jwt: None,
            authz: None,
            fault: None,
            route: None,
            missed: None,
            hold: Duration::ZERO,
            response: None,
            outcome,
        }
    }
}
