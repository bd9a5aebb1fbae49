//! Carries out what the engine decided.

use outrigger_core::header_names::FORWARDED_PROTO;
use outrigger_core::{HeaderOp, Reply};

use crate::abi::{self, Map, Status};
use crate::headers;

/// Applies header changes in order.
///
/// # Errors
/// The first change that the host refused; the rest is not applied, and the caller must not let the request go on.
pub(crate) fn change(map: Map, ops: &[HeaderOp<'_>]) -> Result<(), Status> {
    for op in ops {
        match op {
            HeaderOp::Set(name, value) => abi::set_header(map, name.as_bytes(), value)?,
            HeaderOp::Add(name, value) => abi::add_header(map, name.as_bytes(), value)?,
            // Without it Envoy finds no route: the route that it finds removes it.
            HeaderOp::Remove(name) if matches!(map, Map::Request) && name == FORWARDED_PROTO => {}
            HeaderOp::Remove(name) => abi::remove_header(map, name.as_bytes())?,
        }
    }
    Ok(())
}

/// Answers the current stream.
pub(crate) fn reply(reply: &Reply<'_>) {
    let lines = reply.headers.iter().map(|(name, value)| (name.as_bytes(), value.as_ref()));
    let lines = headers::serialise(lines);
    let sent = abi::send_local_response(
        reply.status,
        reply.details.as_bytes(),
        &reply.body,
        &lines,
        reply.grpc_status,
    );
    if let Err(status) = sent {
        // The stream stays paused: it is refused by never going on.
        log::error!("envoy did not take the answer {}: {status:?}", reply.status);
    }
}

/// Answers the current stream with 500 because it can't be decided: a request is never let through undecided.
pub(crate) fn refuse(details: &'static str) {
    reply(&Reply {
        status: 500,
        headers: Vec::new(),
        body: b"".into(),
        details: details.into(),
        grpc_status: None,
    });
}
