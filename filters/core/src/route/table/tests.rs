//! Which rule a request takes, and what happens to it then.

mod actions;
mod by_envoy;
mod gateway;
mod merging;
#[cfg(not(target_arch = "wasm32"))]
mod random;
mod refusals;
mod sidecar;
mod sticky;
mod tutorial;

use outrigger_api::{Proxy, Resource};

use super::*;
use crate::request::HeaderLine;
use crate::verdict::{HeaderOp, Outcome, Reply};
use crate::{Connection, Draws};

/// Header lines of a GET.
fn get<'a>(authority: &'a str, path: &'a str, more: &[(&'a str, &'a str)]) -> Vec<HeaderLine<'a>> {
    let own = [(":method", "GET"), (":scheme", "http"), (":authority", authority), (":path", path)];
    own.iter().chain(more).map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect()
}

fn table(resources: &[Resource], proxy: &Proxy) -> Table {
    Table::compile(resources, proxy).unwrap()
}

/// What becomes of a request; `None` if no rule takes it.
fn outcome(table: &Table, lines: &[HeaderLine<'_>], draw: u32) -> Option<String> {
    let request = Request::new(lines, &Connection::UNKNOWN);
    let choice = table.find(&request)?.choose(&request, &mut Draws::Fixed(draw));
    Some(match choice.outcome(&request, Vec::new()) {
        Outcome::Forward(ops) => ops.iter().map(op).collect::<Vec<_>>().join("\n"),
        Outcome::Reply(reply) => answer(&reply),
        Outcome::Wait => panic!("nobody waits for a route"),
    })
}

fn op(op: &HeaderOp<'_>) -> String {
    match op {
        HeaderOp::Set(name, value) => format!("{name}: {}", value.escape_ascii()),
        HeaderOp::Add(name, value) => format!("+{name}: {}", value.escape_ascii()),
        HeaderOp::Remove(name) => format!("-{name}"),
    }
}

fn answer(reply: &Reply<'_>) -> String {
    let headers = reply.headers.iter().map(|(name, value)| format!("{name}: {}\n", value.escape_ascii()));
    format!("{}\n{}{}", reply.status, headers.collect::<String>(), reply.body.escape_ascii())
}

/// The cluster, or the body of the answer.
fn goes_to(table: &Table, lines: &[HeaderLine<'_>]) -> Option<String> {
    let outcome = outcome(table, lines, 0)?;
    let cluster = outcome.lines().find_map(|line| line.strip_prefix("x-outrigger-cluster: "));
    cluster.or_else(|| outcome.lines().last()).map(str::to_owned)
}
