//! Addresses that clients only claim.

use super::{Policy, check, get_with, start, table};

const P: &str = "200";
const N: &str = "403 none";
/// Refused for the address that is refused.
const D: &str = "403 deny[0]";

/// Only from 10.1.1.1, as the client's address, and never from 10.6.6.6.
const POLICIES: &[Policy<'_>] = &[
    ("allow", "ALLOW", "[{from: [{source: {remoteIpBlocks: [10.1.1.1, '2001:db8::/32']}}]}]"),
    ("deny", "DENY", "[{from: [{source: {remoteIpBlocks: [10.6.6.6]}}]}]"),
];

#[test]
fn only_trusted_proxies_tell_the_clients_address() {
    let guards = start(&[
        ("gateway", "role: gateway", POLICIES),
        ("behind-one", "role: gateway, trustedHops: 1", POLICIES),
        ("behind-two", "role: gateway, trustedHops: 2", POLICIES),
        ("sidecar", "", POLICIES),
    ]);
    // Columns: a gateway behind none, one and two proxies that are trusted; a sidecar, which trusts whoever connects.
    let rows = [
        (&[][..], [N, N, N, N]),
        (&["10.1.1.1"], [N, P, N, P]),
        (&["10.6.6.6"], [N, D, N, D]),
        (&["10.1.1.1, 9.9.9.9"], [N, N, P, N]),
        (&["9.9.9.9, 10.1.1.1"], [N, P, N, P]),
        (&["10.1.1.1, 10.6.6.6"], [N, D, P, D]),
        (&["10.6.6.6, 10.1.1.1"], [N, P, D, P]),
        (&["10.1.1.1,9.9.9.9,8.8.8.8"], [N, N, N, N]),
        // Lines are one list.
        (&["10.6.6.6", "10.1.1.1"], [N, P, D, P]),
        (&["10.1.1.1", "10.6.6.6"], [N, D, P, D]),
        // What is no address counts as none.
        (&["unknown"], [N, N, N, N]),
        (&["10.1.1.1, unknown"], [N, N, P, N]),
        (&["10.1.1.1x"], [N, N, N, N]),
        (&["010.1.1.1"], [N, N, N, N]),
        (&["10.1.1.1, "], [N, N, P, N]),
        (&[" 10.1.1.1 "], [N, P, N, P]),
        (&["2001:db8::1"], [N, P, N, P]),
        (&["2001:db9::1"], [N, N, N, N]),
        (&["[2001:db8::1]"], [N, N, N, N]),
    ];
    let rows = rows.map(|(forwarded, expected)| {
        let lines = forwarded.iter().map(|value| format!("x-forwarded-for: {value}"));
        let lines: Vec<_> = std::iter::once("x-a: b".to_owned()).chain(lines).collect();
        (get_with(lines.join("\r\n")), expected)
    });
    check(&guards, table(["gateway", "behind-one", "behind-two", "sidecar"], rows));
}

#[test]
fn nobody_tells_the_peers_address() {
    let rules = "[{from: [{source: {ipBlocks: [127.0.0.0/8]}}]}]";
    let guards = start(&[
        ("gateway", "role: gateway, trustedHops: 1", &[("deny", "DENY", rules)]),
        ("sidecar", "", &[("deny", "DENY", rules)]),
    ]);
    let rows = [
        "x-forwarded-for: 10.1.1.1",
        "x-forwarded-for: 10.1.1.1, 9.9.9.9",
        "x-real-ip: 10.1.1.1",
        "x-envoy-external-address: 10.1.1.1",
    ];
    check(&guards, table(["gateway", "sidecar"], rows.map(|line| (get_with(line), [D, D]))));
}
