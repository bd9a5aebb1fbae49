//! Does every listener decide as it should? What measures a refusal, or a policy that is not carried out, measures
//! nothing.

use anyhow::{Context as _, Result, ensure};

use super::configurations::{Bench, TOKEN};
use super::envoy::Envoy;
use super::listener::Policies;
use super::load::Request;
use super::setting::with_token;
use crate::client::Client;
use crate::tally::Seen;

/// A request, and what is to come of it where some policies are carried out.
struct Probe {
    method: &'static str,
    path: &'static str,
    /// Another header line than the measured request has.
    header: Option<(&'static str, &'static str)>,
    token: bool,
    expected: fn(Policies) -> Expected,
}

/// What is to come of a request.
#[derive(Debug, PartialEq, Eq)]
enum Expected {
    Reply(u16),
    /// Forwarded; to this version and with this path, if it matters.
    Forward(Option<&'static str>, Option<&'static str>),
}

use Expected::{Forward, Reply};

const ANY: Expected = Forward(None, None);

const PROBES: &[Probe] = &[
    Probe { method: "GET", path: "/orders/1", header: None, token: true, expected: |_| ANY },
    Probe {
        method: "GET",
        path: "/orders/1",
        header: Some(("x-canary", "on-7")),
        token: false,
        expected: |policies| if policies.route { Forward(Some("v2"), Some("/orders/1")) } else { ANY },
    },
    Probe {
        method: "POST",
        path: "/v1/carts",
        header: None,
        token: false,
        expected: |policies| if policies.route { Forward(Some("v1"), Some("/carts")) } else { ANY },
    },
    Probe {
        method: "GET",
        path: "/orders/1",
        header: Some(("authorization", "Bearer eyJhbGciOiJSUzI1NiJ9.e30.AAAA")),
        token: false,
        expected: |policies| if policies.jwt { Reply(401) } else { ANY },
    },
    Probe {
        method: "GET",
        path: "/admin/users",
        header: None,
        token: true,
        expected: |policies| if policies.authz { Reply(403) } else { ANY },
    },
    Probe {
        method: "GET",
        path: "/orders/1",
        header: Some(("x-tenant", "bronze")),
        token: false,
        expected: |policies| if policies.authz { Reply(403) } else { ANY },
    },
    Probe {
        method: "GET",
        path: "/account/me",
        header: None,
        token: false,
        expected: |policies| if policies.authz { Reply(403) } else { ANY },
    },
    Probe {
        method: "GET",
        path: "/account/me",
        header: None,
        token: true,
        // Only a verified token makes a principal.
        expected: |policies| if policies.authz && !policies.jwt { Reply(403) } else { ANY },
    },
    Probe {
        method: "GET",
        path: "/drill/1",
        header: None,
        token: false,
        expected: |policies| if policies.fault { Reply(418) } else { ANY },
    },
];

/// Asks every listener.
///
/// # Errors
/// The first answer that is not the expected one.
pub(super) fn check(bench: &Bench, envoy: &Envoy) -> Result<()> {
    for row in &bench.rows {
        let seen = send(row.port, "GET", &row.request)?;
        ensure!(
            seen.status == Some(200) && seen.forward.is_some(),
            "`{}` answers {:?}: {}",
            row.name,
            seen.status,
            seen.body
        );
    }
    let shop = bench.rows.iter().filter(|row| row.native == "native" && !row.name.ends_with(TOKEN));
    for row in shop {
        let listener = bench.listeners.iter().find(|listener| listener.port == row.port);
        let policies = listener.context("a row without a listener")?.policies;
        for probe in PROBES {
            probe.check(&row.name, row.port, &row.request, policies)?;
        }
    }
    counted(bench, envoy)
}

/// The metrics filter has counted what came by.
fn counted(bench: &Bench, envoy: &Envoy) -> Result<()> {
    if !bench.listeners.iter().any(|listener| listener.policies.metrics) {
        return Ok(());
    }
    let stats = envoy.admin.request("GET", "admin", "/stats?filter=istio_requests_total&usedonly", &[])?;
    ensure!(stats.body.contains("istio_requests_total"), "no request was counted in istio_requests_total");
    Ok(())
}

impl Probe {
    fn check(&self, name: &str, port: u16, measured: &Request, policies: Policies) -> Result<()> {
        let mut request = Request { path: self.path.to_owned(), ..measured.clone() };
        if let Some((header, value)) = self.header {
            request.headers.retain(|(name, _)| name != header);
            request.headers.push((header.to_owned(), value.to_owned()));
        }
        if self.token {
            request = with_token(&request)?;
        }
        let seen = send(port, self.method, &request)?;
        let expected = (self.expected)(policies);
        ensure!(
            expected.is(&seen),
            "`{name}` answers {} {} ({:?}{}) with {:?} from {:?}, path {:?}, where {expected:?} is expected: {}",
            self.method,
            self.path,
            self.header,
            if self.token { ", with a token" } else { "" },
            seen.status,
            seen.forward,
            seen.headers.get("x-seen-path"),
            seen.body,
        );
        Ok(())
    }
}

impl Expected {
    fn is(&self, seen: &Seen) -> bool {
        let path = seen.headers.get("x-seen-path");
        match self {
            Reply(status) => seen.reply == Some(*status),
            Forward(version, expected) => {
                seen.status == Some(200)
                    && version.is_none_or(|version| seen.forward.as_deref() == Some(version))
                    && expected.is_none_or(|expected| path.is_some_and(|path| path == expected))
            }
        }
    }
}

/// Sends one request.
///
/// # Errors
/// There is no answer.
pub(super) fn send(port: u16, method: &str, request: &Request) -> Result<Seen> {
    let host = request.headers.iter().find(|(name, _)| name == "host").map_or("any", |(_, host)| host);
    let others: Vec<_> = request.headers.iter().filter(|(name, _)| name != "host").cloned().collect();
    Client::new(format!("127.0.0.1:{port}")).request(method, host, &request.path, &others)
}
