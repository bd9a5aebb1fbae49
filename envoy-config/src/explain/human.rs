//! An answer for people: one policy after the other, in the order in which a request meets them.

use std::fmt::{self, Write as _};

use outrigger_api::{Direction, Proxy, Role};

use super::answer::{Answer, Destination, Fault, HeaderChanges, Jwt, Outcome, Route};
use super::question::Question;
use super::{authz, passed_by, tokens};

/// The story of `question`; with `all` each of many rules that were passed by.
pub fn story(answer: &Answer, question: &Question, proxy: &Proxy, all: bool) -> String {
    let mut story = String::new();
    // Writing to a string does not fail.
    let _ = tell(&mut story, answer, question, proxy, all);
    story
}

fn tell(out: &mut String, answer: &Answer, question: &Question, proxy: &Proxy, all: bool) -> fmt::Result {
    let line = &question.line;
    let listener = match (proxy.role, question.direction) {
        (Role::Gateway, _) => "gateway".to_owned(),
        (Role::Sidecar, Direction::Inbound) => "sidecar, inbound".to_owned(),
        (Role::Sidecar, Direction::Outbound) => "sidecar, outbound".to_owned(),
    };
    writeln!(
        out,
        "{} {}://{}{}  ({listener}, port {})\n",
        line.method, line.scheme, line.authority, line.path, line.port
    )?;
    peer(out, answer, question)?;
    if answer.outcome == Outcome::Reset {
        return writeln!(out, "\n{}", conclusion(answer));
    }
    authz::tell_asked(out, answer)?;
    jwt(out, answer)?;
    tokens::tell(out, answer, all)?;
    authz::tell(out, answer)?;
    fault(out, answer, question.draw)?;
    passed_by::tell(out, &answer.passed_over, all)?;
    if let Some(route) = &answer.route {
        tell_route(out, route, question.draw, answer.outcome)?;
    }
    headers(out, &answer.headers, answer.outcome)?;
    writeln!(out, "\n{}", conclusion(answer))
}

pub(super) fn step(out: &mut String, name: &str, text: &str) -> fmt::Result {
    writeln!(out, "  {name:<11}{text}")
}

fn peer(out: &mut String, answer: &Answer, question: &Question) -> fmt::Result {
    let Some(mtls) = &answer.mtls else { return Ok(()) };
    let who = question.peer.as_deref().unwrap_or("without a certificate");
    let by = match &mtls.policy {
        Some(policy) => format!("PeerAuthentication {policy}{}", position(mtls.file.as_deref(), mtls.line)),
        None => "no PeerAuthentication says otherwise".to_owned(),
    };
    step(out, "peer", &format!("{who}; mutual TLS is {}: {by}", mtls.mode))
}

fn jwt(out: &mut String, answer: &Answer) -> fmt::Result {
    if let Some(Jwt { failure: Some(failure), rule: Some(rule), .. }) = &answer.jwt_shadow {
        step(out, "dry run", &format!("the token would be refused by {rule}: {failure}"))?;
    }
    let Some(jwt) = &answer.jwt else { return step(out, "jwt", "no verified token") };
    let by = jwt.rule.as_ref().map(|rule| format!(" by {rule}")).unwrap_or_default();
    match (&jwt.principal, &jwt.failure) {
        (_, Some(failure)) => step(out, "jwt", &format!("refused{by}: {failure}")),
        (Some(principal), None) => step(out, "jwt", &format!("{principal}, verified{by}")),
        (None, None) => Ok(()),
    }
}

fn fault(out: &mut String, answer: &Answer, draw: u32) -> fmt::Result {
    let guards = answer.fault_guards.as_ref();
    if answer.fault_chances.is_none() && guards.is_none() {
        return Ok(());
    }
    let mut text = match &answer.fault {
        None => "none".to_owned(),
        Some(Fault { withheld: Some(why), .. }) => format!("none ({why})"),
        Some(Fault { abort_grpc_status: Some(status), delay_ms, .. }) => {
            let delay = effects(Some(*delay_ms), None);
            let then = if delay.is_empty() { "" } else { ", then " };
            format!("{delay}{then}aborted with gRPC status {status}")
        }
        Some(fault) => effects(Some(fault.delay_ms), fault.abort_status),
    };
    if let Some(fault) = answer.fault.as_ref().filter(|fault| fault.withheld.is_some()) {
        let _ = write!(text, ": it would be {}", effects(fault.would_delay_ms, fault.would_abort_status));
    }
    text += &match answer.fault.as_ref().map(|fault| fault.trigger) {
        Some("headers") => " as its headers ask".to_owned(),
        Some("sticky") => {
            format!(" by its {}", guards.map(|guards| guards.sticky.join(", ")).unwrap_or_default())
        }
        _ => format!(" with --draw {draw}"),
    };
    if let Some(chances) = answer.fault_chances {
        let _ = write!(text, " ({} % are held, {} % aborted)", chances.delay_percent, chances.abort_percent);
    }
    step(out, "fault", &text)?;
    guards.map_or(Ok(()), |guards| guards.lines().iter().try_for_each(|line| step(out, "", line)))
}

fn effects(delay_ms: Option<u64>, abort_status: Option<u16>) -> String {
    let delay = delay_ms.filter(|delay| *delay > 0).map(|delay| format!("held for {}", duration(delay)));
    let abort = abort_status.map(|status| format!("aborted with {status}"));
    delay.into_iter().chain(abort).collect::<Vec<_>>().join(", then ")
}

fn tell_route(out: &mut String, route: &Route, draw: u32, outcome: Outcome) -> fmt::Result {
    match (&route.virtual_service, route.rule) {
        (Some(service), Some(rule)) => {
            let at = position(route.file.as_deref(), route.line);
            step(out, "route", &format!("{}{at}", place(service, rule, route.match_index)))?;
            if let Some(root) = &route.delegated_by {
                let at = position(root.file.as_deref(), root.line);
                let root = place(&root.virtual_service, root.rule, None);
                step(out, "", &format!("delegated by {root}{at}"))?;
            }
        }
        _ => step(out, "route", "no VirtualService is about this host")?,
    }
    if outcome == Outcome::Reply {
        return Ok(());
    }
    let total: u64 = route.alternatives.iter().map(|alternative| u64::from(alternative.weight)).sum();
    if route.alternatives.len() > 1 {
        for alternative in &route.alternatives {
            let chosen = Some(&alternative.destination) == route.destination.as_ref();
            let share = percent(alternative.weight.into(), total);
            let mark = match (&route.sticky_by, chosen) {
                (_, false) => String::new(),
                (Some(key), true) => format!("  <- by {key}"),
                (None, true) => format!("  <- with --draw {draw}"),
            };
            step(out, "", &format!("{share:>4} % {}{mark}", destination(&alternative.destination)))?;
        }
    } else if let Some(only) = &route.destination {
        step(out, "", &format!("to {}", destination(only)))?;
    }
    if route.destination.is_some() {
        step(out, "", &format!("sent as {}{}", route.authority, route.path))?;
    }
    for mirror in &route.mirrors {
        let to = destination(&mirror.destination);
        step(out, "", &format!("{} % are copied to {to}", mirror.percent))?;
    }
    if let Some(line) = &route.sets_cookie {
        step(out, "", &format!("the response sets the cookie {line}"))?;
    }
    if let Some(timeout) = route.timeout_ms {
        step(out, "", &format!("timeout {}", duration(timeout)))?;
    }
    match &route.retries {
        Some(retries) if retries.attempts > 0 => {
            let each = retries.per_try_timeout_ms.map(|limit| format!(", {} each", duration(limit)));
            let each = each.unwrap_or_default();
            let mut text = format!("up to {} retries{each} on {}", retries.attempts, retries.on);
            if let Some(base) = retries.back_off_ms {
                text += &format!(", first after up to {}", duration(base));
            }
            if retries.remote_localities {
                text += ", in other localities";
            }
            if retries.same_hosts {
                text += ", the same host too";
            }
            step(out, "", &text)
        }
        _ => Ok(()),
    }
}

fn headers(out: &mut String, changes: &HeaderChanges, outcome: Outcome) -> fmt::Result {
    let mut name = if outcome == Outcome::Forward { "headers" } else { "reply" };
    let sets = changes.set.iter().map(|(name, value)| format!("{name}: {value}"));
    let adds = changes
        .add
        .iter()
        .flat_map(|(name, values)| values.iter().map(move |value| format!("{name}: {value} (added)")));
    let removes = changes.remove.iter().map(|name| format!("{name} removed"));
    for line in sets.chain(adds).chain(removes) {
        step(out, name, &line)?;
        name = "";
    }
    Ok(())
}

fn conclusion(answer: &Answer) -> String {
    match (answer.outcome, answer.status) {
        (Outcome::Forward, _) => match answer.route.as_ref().and_then(|route| route.destination.as_ref()) {
            Some(place) => format!("forwarded to {}", destination(place)),
            None => "forwarded".to_owned(),
        },
        (Outcome::Reset, _) => {
            format!("the connection is closed: {}", answer.details.as_deref().unwrap_or_default())
        }
        (Outcome::Reply, status) => {
            let mut text = match answer.grpc_status {
                Some(status) => format!("answered with gRPC status {status}"),
                None => format!("answered with {}", status.unwrap_or_default()),
            };
            if let Some(body) = answer.body.as_deref().filter(|body| !body.is_empty()) {
                let _ = write!(text, ": {}", body.trim_end());
            }
            let wanted = answer.route.as_ref().and_then(|route| route.destination.as_ref());
            match (answer.details.as_deref(), wanted) {
                (Some("route_not_found"), _) => text + " (no route fits)",
                (Some("cluster_not_found"), Some(place)) => {
                    format!("{text} (there is no {})", destination(place))
                }
                _ => text,
            }
        }
    }
}

pub(super) fn place(service: &str, rule: usize, match_index: Option<usize>) -> String {
    let entry = match_index.map(|index| format!(".match[{index}]")).unwrap_or_default();
    format!("VirtualService {service} http[{rule}]{entry}")
}

pub(super) fn position(file: Option<&str>, line: Option<u32>) -> String {
    match (file, line) {
        (Some(file), Some(line)) => format!(" ({file}:{line})"),
        (Some(file), None) => format!(" ({file})"),
        _ => String::new(),
    }
}

fn destination(place: &Destination) -> String {
    let subset = place.subset.as_ref().map(|subset| format!(" subset {subset}")).unwrap_or_default();
    format!("{}:{}{subset}", place.host, place.port)
}

fn duration(millis: u64) -> String {
    if millis.is_multiple_of(1000) { format!("{} s", millis / 1000) } else { format!("{millis} ms") }
}

/// `part` of `total` in percent, to at most one decimal.
fn percent(part: u64, total: u64) -> String {
    let thousandths = part.saturating_mul(1000).checked_div(total).unwrap_or_default();
    match (thousandths / 10, thousandths % 10) {
        (whole, 0) => whole.to_string(),
        (whole, rest) => format!("{whole}.{rest}"),
    }
}
