#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use outrigger_api::types::common::Millionths;
use outrigger_api::types::virtual_service::{Abort, Delay, HttpRoute};
use outrigger_api::{Config, Proxy};

use super::*;

use crate::jwt::{Algorithm, Means, SignatureVerifier, VerificationKey};
use crate::request::HeaderLine;
use crate::route::testing::{forward, gateway, ingress, says, set, virtual_service};
use crate::{Connection, Now, Outcome, PolicyEngine, PolicySet};

fn moment() -> Moment<'static> {
    Moment { now: Now(Duration::ZERO), active: &NoneActive }
}

struct NoKeys;

impl SignatureVerifier for NoKeys {
    fn verify(&self, _: &VerificationKey, _: Algorithm, _: &[u8], _: &[u8]) -> bool {
        false
    }
}

fn faulty(delay: Option<(u32, u64)>, abort: Option<(u32, AbortError)>) -> HttpRoute {
    let delay = delay.map(|(millionths, seconds)| Delay {
        percentage: Millionths::new(millionths),
        fixed_delay: Duration::from_secs(seconds),
    });
    let abort = abort.map(|(millionths, error)| Abort { percentage: Millionths::new(millionths), error });
    HttpRoute { fault: Some(Spec { delay, abort }), ..forward(&[("v1", 0)]) }
}

/// Seconds of delay, and status, gRPC status and headers of the abort.
type Seen = (u64, Option<(u16, Option<u32>, Vec<String>)>);

fn seen(rule: HttpRoute, draw: u32, lines: &[HeaderLine<'_>]) -> Seen {
    seen_by::<{ PolicySet::ALL.bits() }>(rule, draw, lines)
}

fn seen_by<const POLICIES: u8>(rule: HttpRoute, draw: u32, lines: &[HeaderLine<'_>]) -> Seen {
    let resources = vec![gateway(80, &["*"]), virtual_service("vs", 0, &["a.com"], vec![rule])];
    let proxy: Proxy = ingress();
    let engine =
        PolicyEngine::<POLICIES>::compile(&Config { proxy, resources, ..Config::default() }).unwrap();
    let mut headers = vec![(&b":authority"[..], &b"a.com"[..]), (b":path", b"/")];
    headers.extend(lines);
    let request = Request::new(&headers, &Connection::UNKNOWN);
    let verdict = engine.request(&request, None, &mut Draws::Fixed(draw), moment(), &Means::offline(&NoKeys));
    let reply = match verdict.outcome {
        Outcome::Forward(_) => None,
        Outcome::Wait => panic!("nobody waits for a fault"),
        Outcome::Reply(reply) => {
            assert_eq!((&*reply.body, &*reply.details), (&b"fault filter abort"[..], "fault_filter_abort"));
            let header =
                |(name, value): &(_, std::borrow::Cow<'_, [u8]>)| format!("{name}: {}", value.escape_ascii());
            Some((reply.status, reply.grpc_status, reply.headers.iter().map(header).collect()))
        }
    };
    (verdict.hold.as_secs(), reply)
}

fn text() -> Vec<String> {
    vec!["content-type: text/plain".to_owned()]
}

#[test]
fn percentages_are_exact_to_a_millionth() {
    for (millionths, draw, hits) in [
        (0, 0, false),
        (1, 0, true),
        (1, 1, false),
        (500_000, 499_999, true),
        (500_000, 500_000, false),
        (999_999, 999_998, true),
        (999_999, 999_999, false),
        (1_000_000, 999_999, true),
    ] {
        let delay = seen(faulty(Some((millionths, 5)), None), draw, &[]);
        assert_eq!(delay, (if hits { 5 } else { 0 }, None), "delay {millionths} at {draw}");
        let abort = seen(faulty(None, Some((millionths, AbortError::Http(400)))), draw, &[]);
        assert_eq!(abort, (0, hits.then(|| (400, None, text()))), "abort {millionths} at {draw}");
    }
}

#[test]
fn delay_and_abort_are_independent() {
    let both = |delay, abort| faulty(Some((delay, 5)), Some((abort, AbortError::Http(503))));
    let aborted = Some((503, None, text()));
    for (rule, expected) in [
        (both(600_000, 600_000), (5, aborted.clone())),
        (both(600_000, 400_000), (5, None)),
        (both(400_000, 600_000), (0, aborted)),
        (both(400_000, 400_000), (0, None)),
    ] {
        assert_eq!(seen(rule, 500_000, &[]), expected);
    }
    let mut counts = [0u32; 4];
    let mut draws = Draws::Seeded(1);
    let spec = faulty(Some((500_000, 5)), Some((500_000, AbortError::Http(503))));
    let resources = [gateway(80, &["*"]), virtual_service("vs", 0, &["a.com"], vec![spec])];
    let table = crate::route::Table::compile(&resources, &ingress()).unwrap();
    let rule = table.rules().next().unwrap();
    let request = Request::new(&[], &Connection::UNKNOWN);
    for _ in 0..40_000 {
        let drawn = draw(rule, &request, &mut draws, moment());
        let delayed = drawn.is_some_and(|drawn| drawn.delay.is_some());
        let aborted = drawn.is_some_and(|drawn| drawn.abort.is_some());
        counts[usize::from(delayed) * 2 + usize::from(aborted)] += 1;
    }
    assert!(counts.iter().all(|count| (9_600..10_400).contains(count)), "{counts:?}");
}

#[test]
fn grpc_aborts_are_a_status_to_grpc_clients_and_200_to_others() {
    let grpc = [(&b"content-type"[..], &b"application/grpc"[..])];
    let rule = || faulty(None, Some((1_000_000, AbortError::Grpc(14))));
    assert_eq!(seen(rule(), 0, &grpc).1, Some((200, Some(14), text())));
    assert_eq!(seen(rule(), 0, &[]).1, Some((200, None, text())));
    // Envoy maps the status of an HTTP abort itself.
    let http = faulty(None, Some((1_000_000, AbortError::Http(503))));
    assert_eq!(seen(http, 0, &grpc).1, Some((503, None, text())));
}

#[test]
fn response_header_changes_apply_to_aborts() {
    let mut rule = faulty(None, Some((1_000_000, AbortError::Http(400))));
    rule.headers.response = set(&[("x-a", "1"), ("content-type", "a/b")]);
    let headers = vec!["x-a: 1".to_owned(), "content-type: a/b".to_owned()];
    assert_eq!(seen(rule.clone(), 0, &[]).1, Some((400, None, headers)));
    // Those of a rule that answers by itself are for its own answer.
    rule.action = says("an answer").action;
    assert_eq!(seen(rule, 0, &[]).1, Some((400, None, Vec::new())));
}

#[test]
fn each_filter_does_its_own_part() {
    let rule = || faulty(None, Some((1_000_000, AbortError::Http(400))));
    assert!(seen_by::<{ PolicySet::FAULT.bits() }>(rule(), 0, &[]).1.is_some());
    assert!(seen_by::<{ PolicySet::ROUTE.bits() }>(rule(), 0, &[]).1.is_none());
    assert!(seen(forward(&[("v1", 0)]), 0, &[]).1.is_none());
}
