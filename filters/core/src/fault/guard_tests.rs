//! Each guard as a truth table, through the whole engine.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use outrigger_api::Config;
use outrigger_api::resource::Timestamp;
use outrigger_api::types::annotations::{FaultGuards, HeaderFaults, Peers, StickyKey};
use outrigger_api::types::common::Millionths;
use outrigger_api::types::virtual_service::{Abort, Delay};
use sha2::{Digest as _, Sha256};

use super::*;
use crate::jwt::{Algorithm, Means, SignatureVerifier, VerificationKey};
use crate::request::HeaderLine;
use crate::route::testing::{forward, gateway, ingress, spec_of, virtual_service};
use crate::{Attributes, Connection, Engine, HeaderOp, Outcome, PolicyEngine, PolicySet};

struct NoKeys;

impl SignatureVerifier for NoKeys {
    fn verify(&self, _: &VerificationKey, _: Algorithm, _: &[u8], _: &[u8]) -> bool {
        false
    }
}

/// So many are active in `default/vs`, and none elsewhere.
struct Active(u64);

impl ActiveFaults for Active {
    fn active(&self, resource: &str) -> u64 {
        if resource == "default/vs" { self.0 } else { 0 }
    }
}

/// An engine with a fault of five seconds, then 503, for so many millionths each.
fn engine(millionths: u32, guards: FaultGuards) -> Engine {
    engine_of(millionths, guards)
}

fn engine_of<const POLICIES: u8>(millionths: u32, guards: FaultGuards) -> PolicyEngine<POLICIES> {
    let percentage = Millionths::new(millionths);
    let delay = Some(Delay { percentage, fixed_delay: Duration::from_secs(5) });
    let abort = Some(Abort { percentage, error: AbortError::Http(503) });
    let mut rule = forward(&[("v1", 0)]);
    rule.fault = (millionths > 0).then_some(Spec { delay, abort });
    let mut service = virtual_service("vs", 0, &["a.com"], vec![rule]);
    spec_of(&mut service).annotations.fault = guards;
    let resources = vec![gateway(80, &["*"]), service];
    PolicyEngine::compile(&Config { proxy: ingress(), resources, ..Config::default() }).unwrap()
}

/// What is drawn, and what comes of it: milliseconds of hold, and the status of the abort.
fn seen(
    engine: &Engine,
    lines: &[HeaderLine<'_>],
    connection: Connection<'_>,
    now: u64,
    active: u64,
) -> (Option<String>, u128, Option<u16>) {
    let mut headers = vec![(&b":authority"[..], &b"a.com"[..]), (b":path", b"/")];
    headers.extend(lines);
    let request = Request::new(&headers, &connection);
    let moment = Moment { now: Now(Duration::from_secs(now)), active: &Active(active) };
    let verdict = engine.request(&request, None, &mut Draws::Fixed(0), moment, &Means::offline(&NoKeys));
    let status = match &verdict.outcome {
        Outcome::Reply(reply) => Some(reply.status),
        Outcome::Wait => panic!("nobody waits for a fault"),
        Outcome::Forward(ops) => {
            let taken = |name: &str| ops.contains(&HeaderOp::Remove(name.to_owned().into()));
            assert!(lines.iter().all(|(name, _)| *name != SECRET.as_bytes()) || taken(SECRET));
            None
        }
    };
    (verdict.fault.map(|fault| fault.to_string()), verdict.hold.as_millis(), status)
}

fn plain(engine: &Engine, now: u64, active: u64) -> (Option<String>, u128, Option<u16>) {
    seen(engine, &[], Connection::UNKNOWN, now, active)
}

const FAULT: &str = "default/vs[0] delay=5000ms abort=503";

#[test]
fn faults_end_at_their_date() {
    let guards = FaultGuards { expires: Some(Timestamp(100)), ..FaultGuards::default() };
    let engine = engine(1_000_000, guards);
    assert!(engine.needs_time());
    assert_eq!(plain(&engine, 99, 0), (Some(FAULT.to_owned()), 5000, Some(503)));
    for now in [100, 101, 1_000_000] {
        assert_eq!(plain(&engine, now, 0), (Some(format!("{FAULT} expired")), 0, None));
    }
    let past = FaultGuards { expires: Some(Timestamp(-1)), ..FaultGuards::default() };
    assert_eq!(plain(&self::engine(1_000_000, past), 0, 0).1, 0);
}

#[test]
fn a_cap_spares_the_next() {
    let guards = FaultGuards { max_active: Some(3.try_into().unwrap()), ..FaultGuards::default() };
    let engine = engine(1_000_000, guards);
    assert!(!engine.needs_time());
    for (active, spared) in [(0, false), (2, false), (3, true), (u64::MAX, true)] {
        let expected =
            if spared { (format!("{FAULT} overflow"), 0, None) } else { (FAULT.into(), 5000, Some(503)) };
        let (drawn, hold, status) = plain(&engine, 0, active);
        assert_eq!((drawn.unwrap(), hold, status), expected, "{active}");
    }
}

#[test]
fn a_dry_run_does_nothing() {
    let guards = FaultGuards { dry_run: true, ..FaultGuards::default() };
    assert_eq!(plain(&engine(1_000_000, guards), 0, 0), (Some(format!("{FAULT} dry-run")), 0, None));
    let guards = FaultGuards { dry_run: true, ..FaultGuards::default() };
    assert_eq!(plain(&engine(0, guards), 0, 0), (None, 0, None));
}

#[test]
fn a_caller_always_draws_the_same() {
    let guards = FaultGuards { sticky: vec![StickyKey::Header("x-user".into())], ..FaultGuards::default() };
    let (tenth, half) = (engine(100_000, guards.clone()), engine(500_000, guards));
    let hit = |engine: &Engine, user: &str| {
        let (_, hold, status) = seen(engine, &[(b"x-user", user.as_bytes())], Connection::UNKNOWN, 0, 0);
        (hold > 0, status.is_some())
    };
    let mut counts = [0u32; 4];
    for user in 0..10_000 {
        let user = format!("user-{user}");
        let (few, many) = (hit(&tenth, &user), hit(&half, &user));
        assert_eq!(few, hit(&tenth, &user));
        // Who meets a fault at 10 % meets it at 50 %.
        assert!((!few.0 || many.0) && (!few.1 || many.1), "{user}");
        counts[usize::from(few.0)] += 1;
        counts[2 + usize::from(few.0 && few.1)] += 1;
    }
    // A tenth are held, and a tenth of these are aborted too: independent.
    assert!((880..1120).contains(&counts[1]) && (60..140).contains(&counts[3]), "{counts:?}");
    // Without the header a draw decides: the first point hits.
    assert_eq!(plain(&tenth, 0, 0), (Some(FAULT.to_owned()), 5000, Some(503)));
}

const DELAY: HeaderLine<'static> = (b"x-envoy-fault-delay-request", b"250");
const ABORT: HeaderLine<'static> = (b"x-envoy-fault-abort-request", b"418");

fn header_faults(secret: Option<&str>, from: Option<Peers>) -> FaultGuards {
    let secret = secret.map(|secret| Sha256::digest(secret).into());
    FaultGuards { headers: Some(HeaderFaults { secret, from }), ..FaultGuards::default() }
}

#[test]
fn headers_ask_in_vain_where_they_may_not() {
    let asked: [HeaderLine<'_>; 2] = [DELAY, ABORT];
    assert_eq!(seen(&engine(0, FaultGuards::default()), &asked, Connection::UNKNOWN, 0, 0), (None, 0, None));
    let with = |secret: &'static [u8]| [DELAY, ABORT, (SECRET.as_bytes(), secret)];
    let guarded = engine(0, header_faults(Some("s3cret"), None));
    for (lines, allowed) in
        [(&asked[..], false), (&with(b"S3cret"), false), (&with(b""), false), (&with(b"s3cret"), true)]
    {
        let expected = if allowed {
            (Some("default/vs[0] delay=250ms abort=418".into()), 250, Some(418))
        } else {
            (None, 0, None)
        };
        assert_eq!(seen(&guarded, lines, Connection::UNKNOWN, 0, 0), expected, "{lines:?}");
    }
    assert_eq!(guarded.attributes(), Attributes::HEADERS);
}

/// The next proxy may take orders from this one.
#[test]
fn what_asks_for_faults_here_asks_nobody_behind() {
    let lines = [
        (&b"x-kept"[..], &b"1"[..]),
        DELAY,
        (b"x-envoy-fault-delay-request-percentage", b"0"),
        (SECRET.as_bytes(), b""),
    ];
    for (guards, taken) in [(header_faults(Some("s3cret"), None), 3), (FaultGuards::default(), 0)] {
        let engine = engine_of::<{ PolicySet::FAULT.bits() }>(0, guards);
        let headers = [&[(&b":authority"[..], &b"a.com"[..]), (b":path", b"/")], &lines[..]].concat();
        let request = Request::new(&headers, &Connection::UNKNOWN);
        let moment = Moment { now: Now(Duration::ZERO), active: &Active(0) };
        let verdict = engine.request(&request, None, &mut Draws::Fixed(0), moment, &Means::offline(&NoKeys));
        let Outcome::Forward(ops) = verdict.outcome else { panic!("{verdict:?}") };
        let names = lines.iter().skip(1).take(taken).map(|(name, _)| str::from_utf8(name).unwrap());
        let expected: Vec<_> = names.map(|name| HeaderOp::Remove(name.into())).collect();
        assert_eq!(ops, expected);
    }
}

#[test]
fn peers_ask_by_address_or_certificate_and_with_the_secret_if_there_is_one() {
    let peers = || Peers {
        blocks: vec!["10.0.0.0/8".parse().unwrap()],
        principals: vec!["spiffe://td/ns/qa/sa/one".into(), "spiffe://td/ns/lab/*".into()],
    };
    let open = engine(0, header_faults(None, Some(peers())));
    let locked = engine(0, header_faults(Some("s"), Some(peers())));
    assert_eq!(open.attributes(), Attributes::HEADERS | Attributes::SOURCE_IP | Attributes::PEER_PRINCIPAL);
    for (address, principal, allowed) in [
        (None, None, false),
        (Some("10.9.9.9"), None, true),
        (Some("::ffff:10.9.9.9"), None, true),
        (Some("11.0.0.1"), None, false),
        (None, Some(&b"spiffe://td/ns/qa/sa/one"[..]), true),
        (None, Some(b"spiffe://td/ns/qa/sa/one2"), false),
        (Some("11.0.0.1"), Some(b"spiffe://td/ns/lab/sa/x"), true),
        (None, Some(b"spiffe://other/ns/lab/sa/x"), false),
        (None, Some(b""), false),
    ] {
        let connection = Connection {
            source_ip: address.map(|address| address.parse().unwrap()),
            // What a client says of itself does not count.
            remote_ip: Some([10, 0, 0, 1].into()),
            peer_principal: principal,
            ..Connection::UNKNOWN
        };
        let hold =
            |engine: &Engine, lines: &[HeaderLine<'_>]| seen(engine, lines, connection.clone(), 0, 0).1 > 0;
        assert_eq!(hold(&open, &[DELAY]), allowed, "{address:?} {principal:?}");
        assert!(!hold(&locked, &[DELAY]));
        assert_eq!(hold(&locked, &[DELAY, (SECRET.as_bytes(), b"s")]), allowed);
    }
}

#[test]
fn headers_say_what_and_of_how_many() {
    let engine = |millionths| {
        engine(
            millionths,
            header_faults(None, Some(Peers { blocks: vec!["::/0".parse().unwrap()], ..Peers::default() })),
        )
    };
    let (none, all) = (engine(0), engine(1_000_000));
    let of = |engine: &Engine, lines: &[HeaderLine<'_>]| {
        let connection = Connection { source_ip: Some("::1".parse().unwrap()), ..Connection::UNKNOWN };
        seen(engine, lines, connection, 0, 0).0
    };
    let percent = |name: &'static [u8], value: &'static [u8]| (name, value);
    let half = percent(b"x-envoy-fault-delay-request-percentage", b"0");
    for (lines, drawn) in [
        (vec![DELAY], Some("default/vs[0] delay=250ms")),
        (vec![ABORT], Some("default/vs[0] abort=418")),
        (vec![(&b"x-envoy-fault-abort-grpc-request"[..], &b"14"[..])], Some("default/vs[0] abort=grpc:14")),
        (vec![ABORT, (b"x-envoy-fault-abort-grpc-request", b"14")], Some("default/vs[0] abort=418")),
        (vec![DELAY, half], None),
        (vec![DELAY, (half.0, b"1")], Some("default/vs[0] delay=250ms")),
        (vec![DELAY, (half.0, b"nonsense")], Some("default/vs[0] delay=250ms")),
        (vec![DELAY, (half.0, b"999")], Some("default/vs[0] delay=250ms")),
        (vec![(DELAY.0, b"0")], None),
        (vec![(DELAY.0, b"-1")], None),
        (vec![(DELAY.0, b"\xff")], None),
        (vec![(ABORT.0, b"199")], None),
        (vec![(ABORT.0, b"600")], None),
        (vec![(ABORT.0, b"599")], Some("default/vs[0] abort=599")),
    ] {
        assert_eq!(of(&none, &lines).as_deref(), drawn, "{lines:?}");
    }
    // In place of the rule's own, each for itself.
    assert_eq!(of(&all, &[DELAY]).as_deref(), Some("default/vs[0] delay=250ms abort=503"));
    assert_eq!(of(&all, &[ABORT]).as_deref(), Some("default/vs[0] delay=5000ms abort=418"));
    assert_eq!(of(&all, &[]).as_deref(), Some(FAULT));
}

#[test]
fn the_first_guard_that_holds_says_why() {
    let guards = FaultGuards {
        expires: Some(Timestamp(100)),
        dry_run: true,
        max_active: Some(1.try_into().unwrap()),
        ..FaultGuards::default()
    };
    let engine = engine(1_000_000, guards);
    assert_eq!(plain(&engine, 100, 1).0, Some(format!("{FAULT} expired")));
    assert_eq!(plain(&engine, 99, 1).0, Some(format!("{FAULT} dry-run")));
}

/// What a delegate says of one guard leaves the others as they are where it is delegated to.
#[test]
fn a_delegate_inherits_guard_by_guard() {
    use outrigger_api::types::virtual_service::{Delegate, RouteAction};
    let ended = || FaultGuards { expires: Some(Timestamp(100)), ..FaultGuards::default() };
    let capped = || FaultGuards { max_active: Some(3.try_into().unwrap()), ..FaultGuards::default() };
    let later = || FaultGuards { expires: Some(Timestamp(200)), ..FaultGuards::default() };
    let dry = || FaultGuards { dry_run: true, ..FaultGuards::default() };
    for (root_guards, leaf_guards, now, active, withheld) in [
        (ended(), capped(), 100, 0, " expired"),
        (ended(), capped(), 99, 3, " overflow"),
        (ended(), capped(), 99, 0, ""),
        (ended(), later(), 100, 0, ""),
        (dry(), capped(), 0, 0, " dry-run"),
        (ended(), FaultGuards::default(), 100, 0, " expired"),
    ] {
        let delegate = Delegate { name: "vs".into(), namespace: "default".into(), direct_response: None };
        let mut rule = crate::route::testing::rule(RouteAction::Delegate(delegate));
        let abort = Abort { percentage: Millionths::ALL, error: AbortError::Http(503) };
        rule.fault = Some(Spec { delay: None, abort: Some(abort) });
        let mut root = virtual_service("root", 0, &["a.com"], vec![rule]);
        spec_of(&mut root).annotations.fault = root_guards;
        let mut leaf = virtual_service("vs", 0, &[], vec![forward(&[("v1", 0)])]);
        spec_of(&mut leaf).annotations.fault = leaf_guards;
        let resources = vec![gateway(80, &["*"]), root, leaf];
        let engine = Engine::compile(&Config { proxy: ingress(), resources, ..Config::default() }).unwrap();
        let (drawn, _, status) = plain(&engine, now, active);
        assert_eq!(drawn.unwrap(), format!("default/vs[0] abort=503{withheld}"));
        assert_eq!(status, withheld.is_empty().then_some(503));
    }
}
