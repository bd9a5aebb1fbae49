//! The engine alone as a judge: the same scenario, no proxy.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail};
use envoy_config::explain::Question;
use envoy_config::explain::request_line::RequestLine;
use envoy_config::{Inputs, MeshConfig};
use outrigger_api::{Config, Direction, Proxy};
use outrigger_core::fault::{Moment, NoneActive};
use outrigger_core::jwt::{Means, RustCrypto};
use outrigger_core::{Connection, Draws, Engine, HeaderOp, Now, Outcome, Request, Verdict, header_names};

use crate::scenario::{Exchange, Role, Scenario};
use crate::services;
use crate::tally::Seen;

/// The proxy that stands at `role`, as the launchers start it.
#[must_use]
pub fn proxy(role: Role) -> Proxy {
    let labels = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    match role {
        Role::Gateway => Proxy {
            labels: labels(&[("istio", "ingressgateway"), ("app", "istio-ingressgateway")]),
            port: Some(80),
            ..Proxy::default()
        },
        Role::Outbound | Role::Inbound => Proxy {
            role: outrigger_api::Role::Sidecar,
            labels: labels(&[("app", "httpbin"), ("version", "v1")]),
            direction: Some(if role == Role::Outbound { Direction::Outbound } else { Direction::Inbound }),
            ..Proxy::default()
        },
    }
}

/// A scenario's resources, compiled.
pub struct Judge {
    engine: Engine,
    draws: Draws,
    role: Role,
}

impl Judge {
    /// Compiles `scenario`.
    ///
    /// # Errors
    /// What is wrong with its resources.
    pub fn new(scenario: &Scenario) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let services = folder.path().join("services.yaml");
        std::fs::write(&services, services::compose_service_entries())?;
        let mut files: Vec<PathBuf> = scenario.resource_files()?;
        files.push(services);
        let loaded = match Inputs::new(files, "default".to_owned()).load() {
            Ok(loaded) => loaded,
            Err(unreadable) => bail!("{unreadable:?}"),
        };
        let errors: Vec<_> = loaded.problems.iter().filter(|problem| problem.is_error()).collect();
        if let Some(first) = errors.first() {
            bail!("{} problem(s), the first: {first}", errors.len());
        }
        let config = Config { proxy: proxy(scenario.role), resources: loaded.resources, ..Config::default() };
        match Engine::compile(&config) {
            Ok(engine) => Ok(Self { engine, draws: Draws::Seeded(0x0072_1662), role: scenario.role }),
            Err(problems) => bail!("{problems:?}"),
        }
    }

    /// Decides `exchange` as often as it asks.
    ///
    /// # Errors
    /// A request that is not of its form.
    pub fn decide_all(&mut self, exchange: &Exchange) -> Result<Vec<Seen>> {
        let (method, authority, path) = exchange.parts()?;
        // The path as Envoy's listener normalises it, names in lower case.
        let question = Question {
            line: RequestLine {
                method: method.to_owned(),
                scheme: "http",
                authority: authority.to_owned(),
                port: 80,
                path: path.to_owned(),
            },
            headers: exchange.header_lines()?,
            peer: None,
            from: None,
            to: None,
            sni: None,
            direction: Direction::Outbound,
            now: Now(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO)),
            draw: 0,
        };
        let Ok(lines) = question.lines(&proxy(self.role), &MeshConfig::default()) else {
            bail!("Envoy answers 400 to `{path}` before any filter sees it");
        };
        let lines = lines.borrowed();
        let moment = Moment { now: question.now, active: &NoneActive };
        let means = Means::offline(&RustCrypto);
        let mut seen = Vec::new();
        for _ in 0..exchange.times {
            let connection = Connection {
                source_ip: Some([127, 0, 0, 1].into()),
                remote_ip: Some([127, 0, 0, 1].into()),
                destination_ip: Some([127, 0, 0, 1].into()),
                destination_port: Some(80),
                ..Connection::UNKNOWN
            };
            let request = Request::new(&lines, &connection);
            let verdict = self.engine.request(&request, None, &mut self.draws, moment, &means);
            seen.push(seen_by_engine(verdict, &lines, self.role == Role::Inbound));
        }
        Ok(seen)
    }
}

fn seen_by_engine(verdict: Verdict<'_>, lines: &[(&[u8], &[u8])], is_inbound: bool) -> Seen {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut seen = Seen { hold: Some(verdict.hold.as_secs_f64()), ..Seen::default() };
    let ops = match verdict.outcome {
        Outcome::Reply(reply) => {
            seen.reply = Some(reply.status);
            seen.status = Some(reply.status);
            seen.body = text(&reply.body);
            seen.headers =
                reply.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
            return seen;
        }
        Outcome::Forward(ops) => ops,
        Outcome::Wait => return seen,
    };
    let mut headers: BTreeMap<String, String> =
        lines.iter().map(|(name, value)| (text(name), text(value))).collect();
    for op in &ops {
        match op {
            HeaderOp::Set(name, value) => {
                headers.insert(name.to_string(), text(value));
            }
            HeaderOp::Add(name, value) => {
                let line = headers.entry(name.to_string()).or_default();
                *line = if line.is_empty() { text(value) } else { format!("{line},{}", text(value)) };
            }
            HeaderOp::Remove(name) => {
                headers.remove(&**name);
            }
        }
    }
    let cluster = headers.remove(header_names::CLUSTER);
    match cluster {
        Some(cluster) => seen.forward = service_of(&cluster),
        // No cluster chosen: the one upstream behind an inbound listener, and 404 by Envoy's generic route elsewhere.
        None if is_inbound => seen.forward = Some("httpbin-v1".to_owned()),
        None => {
            seen.reply = Some(404);
            seen.status = Some(404);
        }
    }
    // What the routes and the router take away.
    headers.retain(|name, _| header_names::internal(name.as_bytes()).is_none());
    seen.path = headers.remove(":path");
    if let Some(authority) = headers.remove(":authority") {
        headers.insert("host".to_owned(), authority);
    }
    seen.request_headers = Some(headers);
    seen
}

/// `outbound|9080|v2|reviews.default.svc.cluster.local` is served by `reviews-v2`.
fn service_of(cluster: &str) -> Option<String> {
    let mut parts = cluster.split('|').skip(2);
    let subset = parts.next().filter(|subset| !subset.is_empty()).unwrap_or("v1");
    let service = parts.next()?.split('.').next()?;
    Some(format!("{service}-{subset}"))
}
