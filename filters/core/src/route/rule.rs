//! One rule of a VirtualService, compiled.

use std::sync::Arc;
use std::time::Duration;

use super::cors::Cors;
use super::destination::Targets;
use super::mirror::Mirror;
use super::mutation::Changes;
use super::profile::Profile;
use super::redirect::Redirect;
use super::retries::Retries;
use super::rewrite::PathRewrite;
use crate::fault::{Fault, Guards};
use crate::sticky::{Keys, Sides};
use crate::verdict::HeaderOp;
use crate::{Attributes, RuleRef};

/// One rule of a VirtualService.
#[derive(Debug)]
pub struct Rule {
    /// Which rule of which VirtualService.
    pub reference: RuleRef,
    /// The rule that delegates to it, if it is a delegate's.
    pub root: Option<Box<RuleRef>>,
    /// Its own name, if it has one.
    pub name: Option<String>,
    /// The faults to inject.
    pub fault: Option<Fault>,
    /// What keeps them within bounds; also who may ask for others.
    pub guards: Option<Arc<Guards>>,
    pub(super) action: Action,
}

/// What a rule does.
#[derive(Debug)]
pub(super) enum Action {
    Forward(Box<Forward>),
    Redirect { redirect: Redirect, response_changes: Changes },
    DirectResponse { status: u16, body: Vec<u8>, response_changes: Changes },
}

/// Forwarding.
#[derive(Debug)]
pub(super) struct Forward {
    pub(super) targets: Targets,
    /// What keeps a caller at one of several targets.
    pub(super) sticky: Option<(Arc<Keys>, Sides)>,
    pub(super) path: Option<PathRewrite>,
    /// The rule's new `:authority`: wins over a destination's.
    pub(super) authority: Option<Box<str>>,
    pub(super) timeout: Option<Duration>,
    pub(super) retries: Retries,
    /// What stands on a generic route of its own.
    pub(super) profile: Option<Profile>,
    /// Names that route.
    pub(super) profile_op: Option<HeaderOp<'static>>,
    pub(super) cors: Option<Cors>,
}

impl Rule {
    /// What its header changes ask of a request.
    pub(super) fn attributes(&self) -> Attributes {
        match &self.action {
            Action::Forward(forward) => {
                forward.targets.iter().fold(Attributes::none(), |all, target| all | target.attributes())
            }
            Action::Redirect { response_changes, .. } | Action::DirectResponse { response_changes, .. } => {
                response_changes.attributes()
            }
        }
    }

    /// Whether it changes headers of responses.
    pub(super) fn changes_responses(&self) -> bool {
        match &self.action {
            Action::Forward(forward) => {
                forward.targets.iter().any(|target| !target.response_changes.is_empty())
            }
            Action::Redirect { response_changes, .. } | Action::DirectResponse { response_changes, .. } => {
                !response_changes.is_empty()
            }
        }
    }

    /// Where copies of its requests go.
    pub fn mirrors(&self) -> &[Mirror] {
        match &self.action {
            Action::Forward(forward) => {
                forward.profile.as_ref().map(|profile| profile.mirrors.as_slice()).unwrap_or_default()
            }
            Action::Redirect { .. } | Action::DirectResponse { .. } => &[],
        }
    }

    /// What of it stands on a generic route of its own.
    pub fn profile(&self) -> Option<&Profile> {
        match &self.action {
            Action::Forward(forward) => forward.profile.as_ref(),
            Action::Redirect { .. } | Action::DirectResponse { .. } => None,
        }
    }

    /// The destinations it can send requests to; none for a redirect or a direct response.
    pub fn targets(&self) -> Option<&Targets> {
        match &self.action {
            Action::Forward(forward) => Some(&forward.targets),
            Action::Redirect { .. } | Action::DirectResponse { .. } => None,
        }
    }
}
