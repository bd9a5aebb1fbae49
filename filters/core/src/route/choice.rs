//! The route taken by one request.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::cors::Judgement;
use super::destination::{Destination, Target};
use super::kept::Kept;
use super::mirror::Mirror;
use super::mutation::{self, Changes};
use super::response::{Pending, ResponseChanges};
use super::retries::Retries;
use super::rule::{Action, Forward, Rule};
use super::virtual_host::Entry;
use super::{redirect, timeout};
use crate::duration::milliseconds;
use crate::format::Scene;
use crate::header_names;
use crate::telemetry::ResponseFlags;
use crate::verdict::{HeaderOp, Outcome, Reply};
use crate::{Draws, Request};

/// The cluster of requests from a sidecar to hosts that nothing declares (`outboundTrafficPolicy: ALLOW_ANY`).
pub const PASSTHROUGH_CLUSTER: &str = "PassthroughCluster";

/// Envoy's response code details of redirects and direct responses.
const DIRECT_RESPONSE: &str = "direct_response";

/// What decides over a request, before its destination is drawn.
#[derive(Debug, Clone, Copy)]
pub enum Route<'e> {
    /// A rule of a VirtualService.
    Rule {
        /// The rule.
        rule: &'e Rule,
        /// What of it matched.
        entry: &'e Entry,
        /// The service's port, or the listener's.
        port: Option<u16>,
    },
    /// The destination that a sidecar sends requests to without a VirtualService, with the mesh's retries.
    Default(&'e Target, &'e Retries),
    /// No service is known: to where the client wants, without retries.
    Passthrough(&'e Retries),
}

impl<'e> Route<'e> {
    /// The rule, if there is one.
    pub fn rule(&self) -> Option<&'e Rule> {
        match self {
            Self::Rule { rule, .. } => Some(rule),
            Self::Default(..) | Self::Passthrough(_) => None,
        }
    }

    /// The destination of the caller, if the rule keeps it at one; else draws it.
    pub fn choose(self, request: &Request<'_>, draws: &mut Draws) -> Choice<'e> {
        let (target, kept, limit, cors) = match self {
            Self::Rule { rule: Rule { action: Action::Forward(forward), .. }, .. } => {
                let kept = forward.sticky.as_ref();
                let kept = kept.and_then(|(keys, sides)| Kept::new(keys, sides, request, draws));
                let target = kept.as_ref().and_then(|kept| forward.targets.get(kept.place));
                let target = target.unwrap_or_else(|| forward.targets.draw(draws));
                let cors = forward.cors.as_ref().and_then(|cors| cors.judge(request));
                (Some(target), kept, timeout::limit(forward.timeout, request), cors)
            }
            Self::Default(target, _) => (Some(target), None, None, None),
            Self::Rule { .. } | Self::Passthrough(_) => (None, None, None, None),
        };
        let injected = ResponseFlags::default();
        Choice { route: self, target, kept, timeout: limit, cors, injected }
    }
}

/// The route taken by one request.
#[derive(Debug, Clone)]
pub struct Choice<'e> {
    /// What decided.
    pub route: Route<'e>,
    target: Option<&'e Target>,
    /// What of the request decided over the destination; `None`: a draw, or there is only one.
    pub kept: Option<Kept<'e>>,
    /// The route's timeout, and for gRPC the client's if it is shorter.
    pub timeout: Option<Duration>,
    cors: Option<Judgement<'e>>,
    /// The faults injected before.
    pub(crate) injected: ResponseFlags,
}

impl<'e> Choice<'e> {
    /// The rule that matched; `None` for a sidecar's default route.
    pub fn rule(&self) -> Option<&'e Rule> {
        self.route.rule()
    }

    /// Which of its `match` entries matched; `None` if it has none.
    pub fn match_index(&self) -> Option<usize> {
        match self.route {
            Route::Rule { entry, .. } => entry.match_index,
            Route::Default(..) | Route::Passthrough(_) => None,
        }
    }

    /// The destination drawn; `None` for a redirect, a direct response, or a host that is not known.
    pub fn destination(&self) -> Option<&'e Destination> {
        self.target.map(|target| &target.destination)
    }

    /// The Envoy cluster; `None` for a redirect or a direct response.
    pub fn cluster(&self) -> Option<&'e str> {
        match (self.target, self.route) {
            (Some(target), _) => Some(&target.cluster),
            (None, Route::Passthrough(_)) => Some(PASSTHROUGH_CLUSTER),
            (None, _) => None,
        }
    }

    /// As [`Self::cluster`], for who keeps it longer than the policies.
    pub fn shared_cluster(&self) -> Option<Arc<str>> {
        match self.target {
            Some(target) => Some(Arc::clone(&target.cluster)),
            None => self.cluster().map(Into::into),
        }
    }

    /// Every destination that could have been drawn, with its weight.
    pub fn alternatives(&self) -> impl Iterator<Item = (&'e Destination, u32)> {
        let targets = self.rule().and_then(Rule::targets);
        targets
            .into_iter()
            .flat_map(|targets| targets.iter().map(|target| (&target.destination, target.weight)))
    }

    /// Where copies of the request may go.
    pub fn mirrors(&self) -> &'e [Mirror] {
        self.rule().map(Rule::mirrors).unwrap_or_default()
    }

    /// The retry policy; `None` for a redirect or a direct response.
    pub fn retries(&self) -> Option<&'e Retries> {
        match self.route {
            Route::Rule { .. } => self.forward().map(|forward| &forward.retries),
            Route::Default(_, retries) | Route::Passthrough(retries) => Some(retries),
        }
    }

    /// The path sent upstream, with its query.
    pub fn path<'r>(&self, request: &Request<'r>) -> Cow<'r, [u8]> {
        self.new_path(request).map_or(Cow::Borrowed(request.path_and_query()), Cow::Owned)
    }

    /// The `:authority` sent upstream.
    pub fn authority<'r>(&self, request: &Request<'r>) -> Cow<'r, [u8]>
    where
        'e: 'r,
    {
        Cow::Borrowed(self.new_authority().map_or(request.authority(), str::as_bytes))
    }

    /// Changes to the headers of the response to a forwarded request, whoever gives it: the route's, then those of its
    /// `corsPolicy`. `ops` are the changes to the request.
    pub fn response(&self, request: &Request<'_>, ops: &[HeaderOp<'_>]) -> Option<ResponseChanges> {
        let of_cors = match &self.cors {
            Some(Judgement::Allowed(of_cors)) => of_cors.as_slice(),
            _ => &[],
        };
        let of_route = self.changes_to_response();
        match of_route {
            Some(Changes::Formatted(_)) => {}
            Some(Changes::Fixed(fixed)) if of_cors.is_empty() => {
                return Some(ResponseChanges::Fixed(Arc::clone(fixed)));
            }
            None if of_cors.is_empty() => return None,
            Some(Changes::Fixed(fixed)) => {
                return Some(ResponseChanges::Fixed(fixed.iter().chain(of_cors).cloned().collect()));
            }
            None => return Some(ResponseChanges::Fixed(of_cors.into())),
        }
        let lists = of_route?.to_response(&self.scene(request, ops))?;
        let pending = Pending { lists, last: of_cors.to_vec(), injected: self.injected };
        Some(ResponseChanges::Pending(Box::new(pending)))
    }

    fn changes_to_response(&self) -> Option<&'e Changes> {
        let of_rule = match self.rule().map(|rule| &rule.action) {
            Some(
                Action::Redirect { response_changes, .. } | Action::DirectResponse { response_changes, .. },
            ) => Some(response_changes),
            Some(Action::Forward(_)) | None => None,
        };
        of_rule.or_else(|| self.target.map(|target| &target.response_changes)).filter(|all| !all.is_empty())
    }

    fn scene<'s, 'r>(&'s self, request: &'s Request<'r>, ops: &'s [HeaderOp<'s>]) -> Scene<'s, 'r> {
        Scene { request, ops, cluster: self.cluster(), injected: self.injected }
    }

    /// Completes an answer that is given on this route: the rule's response header changes, then a content type if
    /// there is none, as Envoy does. `ops` are the changes to the request that were made before.
    fn finish(&self, mut reply: Reply<'e>, request: &Request<'_>, ops: &[HeaderOp<'_>]) -> Reply<'e> {
        match self.changes_to_response() {
            None => {}
            Some(Changes::Fixed(fixed)) => mutation::apply(fixed, &mut reply.headers),
            Some(changes) => {
                let lists = changes.to_response(&self.scene(request, ops)).unwrap_or_default();
                let pending = Pending { lists, last: Vec::new(), injected: self.injected };
                let ops = pending.ops(&reply);
                mutation::apply(&ops, &mut reply.headers);
            }
        }
        if !reply.body.is_empty() && !reply.headers.iter().any(|(name, _)| name == "content-type") {
            reply.headers.push(("content-type".into(), b"text/plain".into()));
        }
        reply
    }

    /// Completes an answer that a filter gives on this route, likewise: Envoy looks at a route for it only if that forwards.
    pub fn finish_of_filter(
        &self,
        reply: Reply<'e>,
        request: &Request<'_>,
        ops: &[HeaderOp<'_>],
    ) -> Reply<'e> {
        if self.target.is_some() { self.finish(reply, request, ops) } else { reply }
    }

    /// What to do with the request, `ops` being the changes decided before.
    pub fn outcome(&self, request: &Request<'_>, mut ops: Vec<HeaderOp<'e>>) -> Outcome<'e> {
        match self.route {
            Route::Rule { rule, entry, port } => match &rule.action {
                Action::Redirect { redirect, .. } => {
                    let location = redirect.location(request, &entry.path, port);
                    let headers = vec![("location".into(), location.into())];
                    let reply = answer(redirect.status, headers, &[]);
                    return Outcome::Reply(self.finish(reply, request, &ops));
                }
                Action::DirectResponse { status, body, .. } => {
                    // Envoy's router points such an answer at the request's own URL.
                    let points = matches!(status, 201 | 300..=399);
                    let location = points.then(|| redirect::own_url(request, &entry.path).into());
                    let headers =
                        location.map(|location| ("location".into(), location)).into_iter().collect();
                    let reply = answer(*status, headers, body);
                    return Outcome::Reply(self.finish(reply, request, &ops));
                }
                Action::Forward(_) => {}
            },
            Route::Default(..) | Route::Passthrough(_) => {}
        }
        if let Some(Judgement::Preflight(reply)) = &self.cors {
            return Outcome::Reply(reply.clone());
        }
        if let Some(target) = self.target {
            let scene = Scene { request, ops: &[], cluster: self.cluster(), injected: self.injected };
            target.request_changes.to_request(&scene, &mut ops);
        }
        if let Some(path) = self.new_path(request) {
            // Envoy's router tells the upstream the same.
            ops.push(set("x-envoy-original-path", Cow::Owned(request.path_and_query().to_vec())));
            ops.push(set(":path", path.into()));
        }
        if let Some(authority) = self.new_authority() {
            if let Some(original) = self.original_authority(request) {
                ops.push(set("x-envoy-original-host", Cow::Owned(original.to_vec())));
            }
            ops.push(set(":authority", authority.as_bytes().into()));
        }
        if let Some(cluster) = self.cluster() {
            ops.push(set(header_names::CLUSTER, cluster.as_bytes().into()));
        }
        ops.extend(
            self.retries().into_iter().flat_map(|retries| retries.ops().iter().map(HeaderOp::borrowed)),
        );
        ops.extend(self.forward().and_then(|forward| forward.profile_op.as_ref()).map(HeaderOp::borrowed));
        if let Some(timeout) = self.timeout {
            ops.push(set(header_names::TIMEOUT, milliseconds(timeout).to_string().into_bytes().into()));
        }
        Outcome::Forward(ops)
    }

    fn forward(&self) -> Option<&'e Forward> {
        match self.rule().map(|rule| &rule.action) {
            Some(Action::Forward(forward)) => Some(forward),
            _ => None,
        }
    }

    fn new_path(&self, request: &Request<'_>) -> Option<Vec<u8>> {
        let Route::Rule { entry, .. } = self.route else { return None };
        let rewrite = self.forward()?.path.as_ref()?;
        Some(rewrite.apply(&entry.path, request.path(), request.path_and_query()))
    }

    /// The authority that the upstream is told of when another takes its place. Envoy's weighted clusters tell of none,
    /// and a route that replaces theirs tells of theirs.
    fn original_authority<'a>(&'a self, request: &'a Request<'_>) -> Option<&'a [u8]> {
        let of_rule = self.forward().is_some_and(|forward| forward.authority.is_some());
        match self.target.filter(|target| target.weighted).and_then(|target| target.authority.as_deref()) {
            Some(authority) => of_rule.then_some(authority.as_bytes()),
            None => Some(request.authority()),
        }
    }

    fn new_authority(&self) -> Option<&'e str> {
        let of_rule = self.forward().and_then(|forward| forward.authority.as_deref());
        of_rule.or_else(|| self.target.and_then(|target| target.authority.as_deref()))
    }
}

fn set<'e>(name: &'static str, value: Cow<'e, [u8]>) -> HeaderOp<'e> {
    HeaderOp::Set(Cow::Borrowed(name), value)
}

fn answer<'e>(status: u16, headers: Vec<(Cow<'e, str>, Cow<'e, [u8]>)>, body: &'e [u8]) -> Reply<'e> {
    Reply { status, headers, body: body.into(), details: DIRECT_RESPONSE.into(), grpc_status: None }
}
