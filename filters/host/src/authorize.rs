//! What authorization policies decide: of a request on which no others have a say, where nothing is set up for what those need;
//! and who is told of it.

use outrigger_api::DecisionRecord;
use outrigger_core::{Attributes, HeaderOp, Outcome, Request, authz};
use proxy_wasm::types::Action;

use crate::plugin::Plugin;
use crate::stream::received_identity;
use crate::{authz_stats, connection, effects, record};

/// Decides the current request by authorization policies alone, where no server has to be asked.
pub(crate) fn at_once<const POLICIES: u8>(plugin: &Plugin<POLICIES>) -> Action {
    let decided = connection::with_request(plugin.engine.attributes(), plugin.listener, |request| {
        plugin.surroundings.on_request(request);
        decide(request, plugin)
    });
    decided.unwrap_or_else(|reason| {
        effects::refuse(reason);
        Action::Pause
    })
}

/// Decides a request by authorization policies alone.
pub(crate) fn decide<const POLICIES: u8>(request: &Request<'_>, plugin: &Plugin<POLICIES>) -> Action {
    let decision = match plugin.engine.attributes().contains(Attributes::CLAIMS) {
        true => with_claims(request, plugin),
        false => plugin.engine.authorize(request),
    };
    let Some(decision) = decision else { return Action::Continue };
    if decision.is_unremarkable() && !plugin.record.filter_state {
        return Action::Continue;
    }
    carry_out(&decision, &plugin.record)
}

/// Kept out of the way where no rule asks for claims.
#[inline(never)]
fn with_claims<'p, const POLICIES: u8>(
    request: &Request<'_>,
    plugin: &'p Plugin<POLICIES>,
) -> Option<authz::Decision<'p>> {
    let received = received_identity::<POLICIES>(plugin.engine.attributes());
    plugin.engine.authorize(&request.seen_with(request.headers(), received.as_ref()))
}

/// Kept out of the way of requests that just pass.
#[inline(never)]
fn carry_out(decision: &authz::Decision<'_>, told: &DecisionRecord) -> Action {
    let reply = decision.reply();
    let mut outcome = reply.map_or_else(|| Outcome::Forward(Vec::new()), Outcome::Reply);
    // Responses do not come by here.
    let _ = tell(decision, told, &mut outcome);
    match outcome {
        Outcome::Reply(reply) => {
            effects::reply(&reply);
            Action::Pause
        }
        _ => Action::Continue,
    }
}

/// Tells what the authorization policies have decided, where the configuration asks for it: also by what the response to a
/// request gets that goes on.
pub(crate) fn tell(
    decision: &authz::Decision<'_>,
    told: &DecisionRecord,
    outcome: &mut Outcome<'_>,
) -> Option<HeaderOp<'static>> {
    authz_stats::count(decision);
    if !told.filter_state && told.response_header.is_none() {
        return None;
    }
    let record = decision.record();
    if told.filter_state {
        record::leave_decision(record.as_deref(), decision);
    }
    let (name, record) = told.response_header.as_ref().zip(record)?;
    let (name, record) = (name.clone().into(), record.into_bytes().into());
    match outcome {
        Outcome::Reply(reply) => {
            reply.headers.push((name, record));
            None
        }
        _ => Some(HeaderOp::Set(name, record)),
    }
}
