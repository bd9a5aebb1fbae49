//! How the endpoints of a service are asked whether they work: `outrigger.io/health-check…` annotations of a
//! DestinationRule or a ServiceEntry. Only what stands around the filters reads them.

use std::time::Duration;

use crate::check;
use crate::types::common::Labels;

/// What the names of all these annotations begin with; also the one that says what is asked.
pub const HEALTH_CHECK: &str = "outrigger.io/health-check";

const INTERVAL: &str = "outrigger.io/health-check-interval";
const TIMEOUT: &str = "outrigger.io/health-check-timeout";
const UNHEALTHY: &str = "outrigger.io/health-check-unhealthy-threshold";
const HEALTHY: &str = "outrigger.io/health-check-healthy-threshold";
const STATUSES: &str = "outrigger.io/health-check-statuses";
const HOST: &str = "outrigger.io/health-check-host";
const PORT: &str = "outrigger.io/health-check-port";

/// All of them.
const KNOWN: [&str; 8] = [HEALTH_CHECK, INTERVAL, TIMEOUT, UNHEALTHY, HEALTHY, STATUSES, HOST, PORT];

/// How endpoints are asked. What is left out is as Kubernetes has it for probes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCheck {
    /// What is asked.
    pub kind: Kind,
    /// Between two questions; default 10 s.
    pub interval: Duration,
    /// How long an answer may take; default 1 s.
    pub timeout: Duration,
    /// So many bad answers in a row make an endpoint unhealthy; default 3.
    pub unhealthy: u32,
    /// So many good answers in a row make it healthy again; default 1.
    pub healthy: u32,
    /// Good statuses, from the first to the last of each pair; empty: 200.
    pub statuses: Vec<(u16, u16)>,
    /// The host that is asked for. `None`: the cluster's name.
    pub host: Option<String>,
    /// The port that is asked. `None`: the endpoint's own.
    pub port: Option<u16>,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// `http:/path`, or `http2:/path`: a request.
    Http {
        /// Its path.
        path: String,
        /// By HTTP/2.
        http2: bool,
    },
    /// `tcp`: a connection.
    Tcp,
    /// `grpc`, or `grpc:SERVICE`: gRPC's health checking protocol.
    Grpc {
        /// The service asked for; empty: the server.
        service: String,
    },
}

/// A wrong annotation: its name, and what is wrong.
pub type Wrong = (String, String);

/// Reads a resource's annotations. `None`: they say nothing of this.
///
/// # Errors
/// Everything that is wrong with them.
pub fn read(annotations: &Labels) -> Result<Option<HealthCheck>, Vec<Wrong>> {
    let given: Vec<_> = annotations.iter().filter(|(name, _)| name.starts_with(HEALTH_CHECK)).collect();
    if given.is_empty() {
        return Ok(None);
    }
    let mut wrong = Vec::new();
    let mut check = HealthCheck {
        kind: Kind::Tcp,
        interval: Duration::from_secs(10),
        timeout: Duration::from_secs(1),
        unhealthy: 3,
        healthy: 1,
        statuses: Vec::new(),
        host: None,
        port: None,
    };
    for (name, text) in &given {
        if let Err(message) = set(&mut check, name, text) {
            wrong.push(((*name).clone(), message));
        }
    }
    for (name, message) in conflicts(&check, annotations) {
        wrong.push((name.to_owned(), message));
    }
    if wrong.is_empty() { Ok(Some(check)) } else { Err(wrong) }
}

fn set(check: &mut HealthCheck, name: &str, text: &str) -> Result<(), String> {
    let quoted = |reason: &str| format!("`{text}` {reason}");
    let duration = || match check::duration::parse(text).map_err(|reason| quoted(&reason))? {
        Duration::ZERO => Err(quoted("is no time at all")),
        duration => Ok(duration),
    };
    let count = || match text.parse::<u32>() {
        Ok(count @ 1..=1000) => Ok(count),
        _ => Err(quoted("is not a whole number from 1 to 1000")),
    };
    match name {
        HEALTH_CHECK => check.kind = kind(text)?,
        INTERVAL => check.interval = duration()?,
        TIMEOUT => check.timeout = duration()?,
        UNHEALTHY => check.unhealthy = count()?,
        HEALTHY => check.healthy = count()?,
        STATUSES => check.statuses = statuses(text)?,
        HOST => {
            check::names::host_or_ip(text).map_err(|reason| quoted(&reason))?;
            check.host = Some(text.to_owned());
        }
        PORT => {
            let port = text.parse().ok().filter(|port: &u16| *port > 0);
            check.port = Some(port.ok_or_else(|| quoted("is not a port, 1 to 65535"))?);
        }
        _ => return Err(format!("unknown annotation: there are {}", KNOWN.join(", "))),
    }
    Ok(())
}

fn kind(text: &str) -> Result<Kind, String> {
    let (kind, rest) = text.split_once(':').map_or((text, None), |(kind, rest)| (kind, Some(rest)));
    let printable = |rest: &str| rest.bytes().all(|byte| byte.is_ascii_graphic());
    match (kind, rest) {
        ("tcp", None) => Ok(Kind::Tcp),
        ("grpc", rest) if rest.is_none_or(|rest| !rest.is_empty() && printable(rest)) => {
            Ok(Kind::Grpc { service: rest.unwrap_or_default().to_owned() })
        }
        ("http" | "http2", Some(path)) if path.starts_with('/') && printable(path) => {
            Ok(Kind::Http { path: path.to_owned(), http2: kind == "http2" })
        }
        _ => {
            Err(format!("`{text}` is none of `http:/PATH`, `http2:/PATH`, `tcp`, `grpc` and `grpc:SERVICE`"))
        }
    }
}

/// `200-299,401`
fn statuses(text: &str) -> Result<Vec<(u16, u16)>, String> {
    let status = |text: &str| text.trim().parse().ok().filter(|status: &u16| (100..600).contains(status));
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let range = (status(first)?, status(last)?);
        (range.0 <= range.1).then_some(range)
    };
    let wrong = || format!("`{text}` is not a list of statuses, such as `200-299,401`");
    text.split(',').map(|part| range(part).ok_or_else(wrong)).collect()
}

/// What is said that has no effect beside the rest.
fn conflicts(check: &HealthCheck, annotations: &Labels) -> Vec<(&'static str, String)> {
    let has = |name: &str| annotations.contains_key(name);
    let without = (!has(HEALTH_CHECK))
        .then(|| KNOWN.into_iter().find(|name| has(name)))
        .flatten()
        .map(|name| (name, format!("there is no `{HEALTH_CHECK}`, so nothing is asked")));
    let http = matches!(check.kind, Kind::Http { .. });
    let statuses = (has(HEALTH_CHECK) && has(STATUSES) && !http)
        .then(|| (STATUSES, "only the answer to a request has a status".to_owned()));
    let host = (has(HEALTH_CHECK) && has(HOST) && check.kind == Kind::Tcp)
        .then(|| (HOST, "a connection asks for no host".to_owned()));
    without.into_iter().chain(statuses).chain(host).collect()
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn of(annotations: &[(&str, &str)]) -> Result<Option<HealthCheck>, Vec<Wrong>> {
        let name = |name: &str| match name {
            "" => HEALTH_CHECK.to_owned(),
            name => format!("{HEALTH_CHECK}-{name}"),
        };
        read(&annotations.iter().map(|(key, value)| (name(key), (*value).to_owned())).collect())
    }

    #[test]
    fn what_is_left_out_is_as_kubernetes_has_it() {
        let check = of(&[("", "http:/healthz?full=1")]).unwrap().unwrap();
        let kind = Kind::Http { path: "/healthz?full=1".to_owned(), http2: false };
        assert_eq!((check.kind, check.unhealthy, check.healthy), (kind, 3, 1));
        assert_eq!((check.interval.as_secs(), check.timeout.as_secs()), (10, 1));
        assert_eq!(of(&[]), Ok(None));
        assert_eq!(read(&Labels::from([("other".to_owned(), "x".to_owned())])), Ok(None));
    }

    #[test]
    fn everything_can_be_said() {
        let all = [
            ("", "http2:/h"),
            ("interval", "500ms"),
            ("timeout", "250ms"),
            ("unhealthy-threshold", "2"),
            ("healthy-threshold", "4"),
            ("statuses", "200-299, 401"),
            ("host", "health.test"),
            ("port", "8081"),
        ];
        let check = of(&all).unwrap().unwrap();
        assert_eq!(check.statuses, [(200, 299), (401, 401)]);
        assert_eq!((check.unhealthy, check.healthy, check.port), (2, 4, Some(8081)));
        assert_eq!((check.interval.as_millis(), check.timeout.as_millis()), (500, 250));
        let kind = |text| of(&[("", text)]).unwrap().unwrap().kind;
        assert_eq!(kind("tcp"), Kind::Tcp);
        assert_eq!(kind("grpc"), Kind::Grpc { service: String::new() });
        assert_eq!(kind("grpc:a.B"), Kind::Grpc { service: "a.B".to_owned() });
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (annotations, name, says) in [
            (vec![("", "http")], "", "none of"),
            (vec![("", "http:healthz")], "", "none of"),
            (vec![("", "tcp:80")], "", "none of"),
            (vec![("", "grpc:")], "", "none of"),
            (vec![("", "tcp"), ("interval", "0s")], "-interval", "`0s`"),
            (vec![("", "tcp"), ("timeout", "x")], "-timeout", "`x`"),
            (vec![("", "tcp"), ("healthy-threshold", "0")], "-healthy-threshold", "from 1 to 1000"),
            (vec![("", "http:/"), ("statuses", "200-")], "-statuses", "list of statuses"),
            (vec![("", "http:/"), ("statuses", "300-200")], "-statuses", "list of statuses"),
            (vec![("", "tcp"), ("statuses", "200")], "-statuses", "has a status"),
            (vec![("", "tcp"), ("host", "a")], "-host", "asks for no host"),
            (vec![("", "tcp"), ("port", "0")], "-port", "1 to 65535"),
            (vec![("", "tcp"), ("prt", "1")], "-prt", "unknown annotation"),
            (vec![("port", "1")], "-port", "nothing is asked"),
        ] {
            let wrong = of(&annotations).unwrap_err();
            assert_eq!(wrong.len(), 1, "{wrong:?}");
            assert_eq!(wrong[0].0, format!("{HEALTH_CHECK}{name}"));
            assert!(wrong[0].1.contains(says), "{wrong:?}");
        }
    }
}
