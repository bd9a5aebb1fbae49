//! Envoy's administration interface.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use ureq::Agent;

/// A client of the interface.
#[derive(Debug, Clone)]
pub(super) struct Admin {
    agent: Agent,
    base: String,
}

/// Numbers by name.
pub(super) type Stats = BTreeMap<String, u64>;

impl Admin {
    /// The interface that listens on `address`.
    pub(super) fn new(address: SocketAddr) -> Self {
        let ip = if address.ip().is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { address.ip() };
        let config = Agent::config_builder().timeout_global(Some(Duration::from_secs(5))).proxy(None).build();
        Self { agent: config.into(), base: format!("http://{}", SocketAddr::new(ip, address.port())) }
    }

    /// Whether Envoy serves.
    pub(super) fn ready(&self) -> bool {
        self.agent.get(format!("{}/ready", self.base)).call().is_ok()
    }

    /// Asks Envoy to do something, such as `healthcheck/fail`.
    ///
    /// # Errors
    /// It does not answer, or refuses.
    pub(super) fn post(&self, path: &str) -> Result<(), ureq::Error> {
        self.agent.post(format!("{}/{path}", self.base)).send_empty().map(drop)
    }

    /// The counters and gauges whose name matches `filter`, a regular expression.
    ///
    /// # Errors
    /// It does not answer.
    pub(super) fn stats(&self, filter: &str) -> Result<Stats, ureq::Error> {
        let request = self.agent.get(format!("{}/stats", self.base)).query("filter", filter);
        Ok(parse(&request.call()?.body_mut().read_to_string()?))
    }
}

/// Lines of `name: 1`; histograms, which are not numbers, are left out.
fn parse(text: &str) -> Stats {
    let lines = text.lines().filter_map(|line| line.rsplit_once(": "));
    lines.filter_map(|(name, value)| Some((name.to_owned(), value.trim().parse().ok()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_by_name() {
        let stats = parse("a.b: 1\nlistener.[::1]_80.x: 2\nh: P0(nan,1.0)\n\nno number: x\n");
        assert_eq!(stats, Stats::from([("a.b".to_owned(), 1), ("listener.[::1]_80.x".to_owned(), 2)]));
    }
}
