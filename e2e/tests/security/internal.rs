//! Headers that are the proxy's own, sent by a client.

use outrigger_core::header_names::INTERNAL;

use super::answer::ask;
use super::{both, check, get_with, start};

/// How those begin that Envoy itself takes away from a client's request, before any filter.
const BY_ENVOY: &[&str] =
    &["x-envoy-hedge-", "x-envoy-max-retries", "x-envoy-retriable-", "x-envoy-retry-", "x-envoy-upstream-"];

/// A rule that is about the peer's certificate.
const BY_NAME: &str = "[{from: [{source: {principals: ['*']}}]}]";

#[test]
fn a_certificate_that_is_only_claimed_is_none() {
    let guards = start(&[
        ("allow", "", &[("allow", "ALLOW", BY_NAME)]),
        ("deny", "", &[("deny", "DENY", "[{from: [{source: {notPrincipals: ['*']}}]}]")]),
        ("open", "", &[("deny", "DENY", BY_NAME)]),
    ]);
    let id = "spiffe://cluster.local/ns/shop/sa/cart";
    for claimed in [
        format!("x-forwarded-client-cert: By=spiffe://x;Hash=00;URI={id}"),
        format!("x-forwarded-client-cert: URI={id}\r\nx-forwarded-client-cert: URI={id}"),
        format!("x-envoy-peer-principal: {id}"),
        format!("x-envoy-peer-metadata: {id}"),
        format!("io.istio.peer_principal: {id}"),
    ] {
        let expected = [("allow", "403 none"), ("deny", "403 deny[0]")];
        check(&guards, expected.map(|(setup, expected)| (setup, get_with(&claimed), expected)));
        for answer in both(&guards, "open", |address| ask(address, &get_with(&claimed))) {
            assert_eq!(answer.verdict(), "200", "{claimed}");
            assert_eq!(answer.header("x-forwarded-client-cert"), None, "{}", answer.text());
        }
    }
}

/// What steers Envoy's router comes from the suite or from nobody; policies see what Envoy has left of it.
#[test]
fn nobody_steers_the_router_from_outside() {
    let rules = INTERNAL
        .iter()
        .map(|name| format!("{{when: [{{key: 'request.headers[{name}]', values: [denied]}}]}}"));
    let rules = format!("[{}]", rules.collect::<Vec<_>>().join(", "));
    let guards = start(&[("deny", "", &[("deny", "DENY", &rules)])]);
    for (index, name) in INTERNAL.iter().enumerate() {
        let denied = format!("403 deny[{index}]");
        let by_envoy = BY_ENVOY.iter().any(|start| name.starts_with(start));
        let expected = if by_envoy { "200" } else { &denied };
        let sent = [format!("{name}: denied"), format!("{}: denied", name.to_uppercase())];
        check(&guards, sent.map(|line| ("deny", get_with(line), expected)));
        for lines in
            [format!("{name}: 1"), format!("{name}: 1\r\n{name}: 2"), format!("{}: 1", name.to_uppercase())]
        {
            let [ours, _] = both(&guards, "deny", |address| ask(address, &get_with(&lines)));
            assert_eq!(ours.verdict(), "200", "{lines}");
            assert_eq!(ours.header(name), None, "{lines}: {}", ours.text());
        }
        // With underscores it is another header, which Envoy's router does not know.
        let underscored = get_with(format!("{}: denied", name.replace('-', "_")));
        check(&guards, [("deny", underscored, "200")]);
    }
}
