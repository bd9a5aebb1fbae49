//! How clients try to get around AuthorizationPolicies, on real Envoy: every table says what has to come of a request, and
//! our filters and the RBAC filters that istiod would make of the same policies both have to do so.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may")]

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

/// Envoy with both sides for each setup: a name, the proxy's fields, and policies of the namespace `default`, each a name,
/// an action and its rules.
fn start(setups: &[(&str, &str, &[(&str, &str, &str)])]) -> Guards {
    let policy = |(name, action, rules): &(&str, &str, &str)| {
        format!(
            "---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {{name: {name}, namespace: default}}
spec: {{action: {action}, rules: {rules}}}
"
        )
    };
    let setup = |(name, proxy, policies): &(&str, &str, &[(&str, &str, &str)])| {
        let policies: String = policies.iter().map(policy).collect();
        ((*name).to_owned(), format!("kind: Proxy\nspec: {{{proxy}}}\n{policies}"))
    };
    let setups: Vec<_> = setups.iter().map(setup).collect();
    Guards::start(Options::short(Which::Authz, 1, 1).modules, &setups).unwrap()
}

/// What comes of requests, as bytes, at the setup of this name. A verdict is a status, and of a refusal the rule by which:
/// `200`, `403 deny[0]`, `403 none`, `400`.
fn check<'c>(guards: &Guards, setup: &str, cases: impl IntoIterator<Item = (Vec<u8>, &'c str)>) {
    for (request, expected) in cases {
        let [ours, native] = both(guards, setup, |address| verdict(address, &request));
        let shown = request.escape_ascii().to_string();
        assert_eq!(native, expected, "{setup}: Envoy's own filters: {shown}");
        assert_eq!(ours, expected, "{setup}: ours: {shown}");
    }
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
