//! corsPolicy: which origins may read an answer, as Envoy's CORS filter tells browsers.

use std::borrow::Cow;

use outrigger_api::types::virtual_service::{CorsPolicy, UnmatchedPreflights};

use crate::Request;
use crate::matching::regex::RegexError;
use crate::matching::string::StringMatcher;
use crate::verdict::{HeaderOp, Reply};

/// Envoy's response code details of an answered preflight.
const DETAILS: &str = "cors_response";

const ALLOW_ORIGIN: &str = "access-control-allow-origin";
const ALLOW_CREDENTIALS: &str = "access-control-allow-credentials";
const ALLOW_METHODS: &str = "access-control-allow-methods";
const ALLOW_HEADERS: &str = "access-control-allow-headers";
const EXPOSE_HEADERS: &str = "access-control-expose-headers";
const MAX_AGE: &str = "access-control-max-age";

/// A compiled `corsPolicy`. A list that is empty adds no header.
#[derive(Debug)]
pub(super) struct Cors {
    origins: Origins,
    /// Joined by commas, as all lists here.
    allow_methods: Box<str>,
    allow_headers: Box<str>,
    expose_headers: Box<str>,
    /// Whole seconds.
    max_age: Option<Box<str>>,
    allow_credentials: bool,
    unmatched_preflights: UnmatchedPreflights,
}

#[derive(Debug)]
enum Origins {
    Any,
    Matching(Vec<StringMatcher>),
}

/// What the policy says about one request with an `Origin`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Judgement<'e> {
    /// A preflight that is answered here.
    Preflight(Reply<'e>),
    /// The origin may read the answer: these changes are made to it, after all others.
    Allowed(Vec<HeaderOp<'static>>),
    /// The origin may not: nothing tells the browser otherwise.
    Refused,
}

impl Cors {
    /// Compiles Istio's `corsPolicy`.
    ///
    /// # Errors
    /// The number of an origin in its list, and what is wrong with its regex.
    pub(super) fn new(spec: &CorsPolicy) -> Result<Self, (usize, RegexError)> {
        let origins = spec.allow_origins.iter().enumerate();
        let origins =
            origins.map(|(at, origin)| StringMatcher::new(origin, false).map_err(|error| (at, error)));
        let origins = origins.collect::<Result<Vec<_>, _>>()?;
        // Envoy asks each matcher about `*` before it asks about the origin.
        let any = origins.iter().any(|origin| origin.matches(b"*"));
        Ok(Self {
            origins: if any { Origins::Any } else { Origins::Matching(origins) },
            allow_methods: spec.allow_methods.join(",").into(),
            allow_headers: spec.allow_headers.join(",").into(),
            expose_headers: spec.expose_headers.join(",").into(),
            max_age: spec.max_age.map(|age| age.as_secs().to_string().into()),
            allow_credentials: spec.allow_credentials == Some(true),
            unmatched_preflights: spec.unmatched_preflights,
        })
    }

    /// Judges `request`; `None` if it is not a cross-origin one.
    pub(super) fn judge<'e>(&'e self, request: &Request<'_>) -> Option<Judgement<'e>> {
        let origin = request.header(b"origin").filter(|origin| !origin.is_empty())?;
        let allowed = self.allows(origin);
        let answered = allowed || self.unmatched_preflights == UnmatchedPreflights::Ignore;
        if request.is_cors_preflight() && answered {
            return Some(Judgement::Preflight(self.preflight(request, allowed.then_some(origin))));
        }
        Some(if allowed { Judgement::Allowed(self.response(origin)) } else { Judgement::Refused })
    }

    fn allows(&self, origin: &[u8]) -> bool {
        match &self.origins {
            Origins::Any => true,
            Origins::Matching(matchers) => matchers.iter().any(|matcher| matcher.matches(origin)),
        }
    }

    fn preflight<'e>(&'e self, request: &Request<'_>, origin: Option<&[u8]>) -> Reply<'e> {
        let mut headers = Vec::new();
        let mut push = |name: &'static str, value: Cow<'e, [u8]>| headers.push((Cow::Borrowed(name), value));
        if let Some(origin) = origin {
            push(ALLOW_ORIGIN, origin.to_vec().into());
        }
        if self.allow_credentials {
            push(ALLOW_CREDENTIALS, b"true".into());
        }
        // A `*` of the policy is answered with what the browser asks for.
        let asked = |list: &'e str, name: &[u8]| match list {
            "" => None,
            "*" => Some(request.header(name).unwrap_or_default().to_vec().into()),
            list => Some(list.as_bytes().into()),
        };
        if let Some(methods) = asked(&self.allow_methods, b"access-control-request-method") {
            push(ALLOW_METHODS, methods);
        }
        if let Some(names) = asked(&self.allow_headers, b"access-control-request-headers") {
            push(ALLOW_HEADERS, names);
        }
        if let Some(age) = &self.max_age {
            push(MAX_AGE, age.as_bytes().into());
        }
        // In Envoy this answer passes the same filter on its way back.
        if origin.is_some() && !self.expose_headers.is_empty() {
            push(EXPOSE_HEADERS, self.expose_headers.as_bytes().into());
        }
        Reply { status: 200, headers, body: b"".into(), details: DETAILS.into(), grpc_status: None }
    }

    fn response(&self, origin: &[u8]) -> Vec<HeaderOp<'static>> {
        let set = |name: &'static str, value: &[u8]| HeaderOp::Set(name.into(), value.to_vec().into());
        let mut ops = vec![set(ALLOW_ORIGIN, origin)];
        if self.allow_credentials {
            ops.push(set(ALLOW_CREDENTIALS, b"true"));
        }
        if !self.expose_headers.is_empty() {
            ops.push(set(EXPOSE_HEADERS, self.expose_headers.as_bytes()));
        }
        ops
    }
}

#[cfg(test)]
mod tests;
