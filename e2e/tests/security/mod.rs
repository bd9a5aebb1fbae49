//! How clients try to get around AuthorizationPolicies, on real Envoy: every table says what has to come of a request, and
//! our filters and the RBAC filters that istiod would make of the same policies both have to do so.

mod answer;
mod bounds;
mod forwarded;
mod headers;
mod hosts;
mod http2;
mod internal;
mod paths;
mod protocols;

use std::net::SocketAddr;

use answer::verdict;
use outrigger_e2e::differential::Guards;
use outrigger_e2e::differential::options::{Options, Which};

/// A policy of the namespace `default`: its name, its action and its rules.
type Policy<'p> = (&'p str, &'p str, &'p str);

/// A name, the proxy's fields, and policies.
type Setup<'s> = (&'s str, &'s str, &'s [Policy<'s>]);

/// Envoy with both sides for each setup.
fn start(setups: &[Setup<'_>]) -> Guards {
    let policy = |(name, action, rules): &Policy<'_>| {
        format!(
            "---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {{name: {name}, namespace: default}}
spec: {{action: {action}, rules: {rules}}}
"
        )
    };
    let setup = |(name, proxy, policies): &Setup<'_>| {
        let policies: String = policies.iter().map(policy).collect();
        ((*name).to_owned(), format!("kind: Proxy\nspec: {{{proxy}}}\n{policies}"))
    };
    let setups: Vec<_> = setups.iter().map(setup).collect();
    Guards::start(Options::short(Which::Authz, 1, 1).modules, &setups).unwrap()
}

/// A request as bytes, the setup that it is sent to, and what has to come of it: a status, and of a refusal the rule by
/// which, as in `200`, `403 deny[0]`, `403 none`, `400`.
type Case<'c> = (&'c str, Vec<u8>, &'c str);

/// Sends each to both sides, and tells of all that do not do what they should.
fn check<'c>(guards: &Guards, cases: impl IntoIterator<Item = Case<'c>>) {
    let mut wrong = Vec::new();
    for (setup, request, expected) in cases {
        let [ours, native] = both(guards, setup, |address| verdict(address, &request));
        if ours != expected || native != expected {
            let shown: String = request.escape_ascii().to_string().chars().take(200).collect();
            wrong.push(format!("{setup}: expected {expected}, ours {ours}, Envoy's own {native}: {shown}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// A table as cases: in each row what is sent, and in the columns what comes of it at each of `setups`.
fn table<'c, const N: usize>(
    setups: [&'c str; N],
    rows: impl IntoIterator<Item = (Vec<u8>, [&'c str; N])>,
) -> Vec<Case<'c>> {
    let row = |(request, expected): (Vec<u8>, [&'c str; N])| {
        setups.into_iter().zip(expected).map(move |(setup, expected)| (setup, request.clone(), expected))
    };
    rows.into_iter().flat_map(row).collect()
}

/// Asks our filters, and then Envoy's own.
fn both<T>(guards: &Guards, setup: &str, ask: impl FnMut(SocketAddr) -> T) -> [T; 2] {
    guards.addresses(setup).unwrap().map(ask)
}

/// A GET of a path.
fn get(path: impl AsRef<[u8]>) -> Vec<u8> {
    [b"GET ", path.as_ref(), b" HTTP/1.1\r\nhost: shop.test\r\nconnection: close\r\n\r\n"].concat()
}

/// A GET of `/` with these lines, none of which is `Host`, and at the end nothing more.
fn get_with(lines: impl AsRef<[u8]>) -> Vec<u8> {
    [b"GET / HTTP/1.1\r\nhost: shop.test\r\nconnection: close\r\n", lines.as_ref(), b"\r\n\r\n"].concat()
}
