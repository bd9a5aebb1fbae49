//! Weights that keep a caller at its side.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use std::time::Duration;

use outrigger_api::types::annotations::StickyKey;
use serde_json::json;

use crate::jwt::Identity;
use crate::request::HeaderLine;
use crate::route::testing::{forward, gateway, ingress, spec_of, virtual_service};
use crate::route::{Choice, Table};
use crate::{Attributes, Connection, Draws, HeaderOp, Request};

fn table(destinations: &[(&str, u32)], keys: &[StickyKey]) -> Table {
    let mut service = virtual_service("vs", 0, &["a.com"], vec![forward(destinations)]);
    spec_of(&mut service).annotations.sticky_weights = keys.to_vec();
    Table::compile(&[gateway(80, &["*"]), service], &ingress()).unwrap()
}

/// The destination's host, and the choice.
fn choose<'t>(
    table: &'t Table,
    lines: &[HeaderLine<'_>],
    identity: Option<&Identity>,
    draws: &mut Draws,
) -> (String, Choice<'t>) {
    let mut headers = vec![(&b":authority"[..], &b"a.com"[..]), (b":path", b"/")];
    headers.extend(lines);
    let connection = Connection { remote_ip: Some([10, 0, 0, 7].into()), ..Connection::UNKNOWN };
    let request = Request::new(&headers, &connection).with_identity(identity);
    let choice = table.find(&request).unwrap().choose(&request, draws);
    let host = choice.destination().unwrap().host.split('.').next().unwrap_or_default().to_owned();
    (host, choice)
}

fn header() -> Vec<StickyKey> {
    vec![StickyKey::Header("x-user".into())]
}

#[test]
fn a_caller_stays_whatever_is_drawn() {
    let table = table(&[("one", 50), ("other", 50)], &header());
    let mut draws = Draws::Seeded(3);
    let mut ones = 0;
    for user in 0..2000 {
        let user = format!("user-{user}");
        let mut at = || choose(&table, &[(b"x-user", user.as_bytes())], None, &mut draws).0;
        let first = at();
        assert!((0..3).all(|_| at() == first), "{user}");
        ones += u32::from(first == "one");
    }
    assert!((900..1100).contains(&ones), "{ones}");
}

#[test]
fn without_the_key_a_draw_decides_and_says_so() {
    let table = table(&[("one", 50), ("other", 50)], &header());
    for (draw, host) in [(0, "one"), (999_999, "other")] {
        let (chosen, choice) = choose(&table, &[], None, &mut Draws::Fixed(draw));
        assert_eq!((&*chosen, choice.kept), (host, None));
    }
    let (_, choice) = choose(&table, &[(b"x-user", b"ann")], None, &mut Draws::Fixed(0));
    assert_eq!(choice.kept.map(|kept| kept.by.to_string()).as_deref(), Some("header:x-user"));
}

#[test]
fn one_destination_needs_no_key() {
    let table = table(&[("one", 50), ("gone", 0)], &header());
    assert_eq!(choose(&table, &[(b"x-user", b"ann")], None, &mut Draws::Fixed(0)).1.kept, None);
}

#[test]
fn a_cookie_is_given_once_and_then_obeyed() {
    let keys = [StickyKey::Cookie { name: "side".into(), ttl: Some(Duration::from_secs(60)) }];
    let table = table(&[("one", 50), ("other", 50)], &keys);
    let mut draws = Draws::Seeded(5);
    for _ in 0..100 {
        let (host, choice) = choose(&table, &[], None, &mut draws);
        let kept = choice.kept.unwrap();
        let Some(HeaderOp::Add(name, line)) = kept.set_cookie() else { panic!("no cookie") };
        let value = kept.new_cookie.clone().unwrap();
        let expected = format!("side={value}; Max-Age=60; Path=/; HttpOnly");
        assert_eq!((&*name, &*line), ("set-cookie", expected.as_bytes()));
        let cookie = format!("side={value}");
        let (again, choice) = choose(&table, &[(b"cookie", cookie.as_bytes())], None, &mut draws);
        assert_eq!((again, choice.kept.unwrap().set_cookie()), (host, None));
    }
}

#[test]
fn claims_and_addresses_are_asked_for() {
    let claim = StickyKey::Claim(vec!["sub".into()]);
    let table = table(&[("one", 50), ("other", 50)], &[claim, StickyKey::SourceAddress]);
    assert_eq!(table.attributes(), Attributes::CLAIMS | Attributes::REMOTE_IP);
    let identity = Identity::from(json!({"sub": "ann"}).as_object().cloned().unwrap());
    let by = |identity| {
        let (_, choice) = choose(&table, &[], identity, &mut Draws::Fixed(0));
        choice.kept.unwrap().by.to_string()
    };
    assert_eq!(by(Some(&identity)), "claim:[sub]");
    assert_eq!(by(None), "source-address");
}
