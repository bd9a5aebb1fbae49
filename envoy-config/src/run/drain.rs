//! Stopping without a request cut off.

use std::time::{Duration, Instant};

use super::admin::{Admin, Stats};
use super::events::By;

/// How long an idle connection is waited for: its client may have sent a request that is on its way.
const IDLE: Duration = Duration::from_secs(2);
/// How long load balancers may take to see that health checks fail: Istio's `MINIMUM_DRAIN_DURATION`.
const MIN_DURATION: Duration = Duration::from_secs(5);
/// How long requests may go on.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How long stopping takes, as Envoy Gateway's `shutdown` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DrainTimes {
    /// `minDrainDuration`: connections are accepted for at least so long. `None`: five seconds after SIGTERM, no time if
    /// a person stops it.
    pub min_duration: Option<Duration>,
    /// `drainTimeout`: connections go on for so long at most. `None`: thirty seconds, and more than `min_duration`.
    pub timeout: Option<Duration>,
}

impl DrainTimes {
    fn min_duration(self, by: By) -> Duration {
        self.min_duration.unwrap_or(match by {
            By::Supervisor => MIN_DURATION,
            By::User => Duration::ZERO,
        })
    }

    fn timeout(self) -> Duration {
        self.timeout.unwrap_or_else(|| TIMEOUT.max(self.min_duration.unwrap_or_default() + IDLE))
    }
}

/// Tells clients and load balancers to go elsewhere, and waits until the requests here are done; `stop` ends the wait.
pub(super) fn drain(admin: &Admin, times: DrainTimes, by: By, mut stop: impl FnMut() -> bool) {
    // An Envoy that does not answer has nothing to wait for.
    if admin.post("healthcheck/fail").and_then(|()| admin.post("drain_listeners?graceful&skip_exit")).is_err()
    {
        return;
    }
    let (start, min_duration, timeout) = (Instant::now(), times.min_duration(by), times.timeout());
    let mut wait = |end: Duration, is_done: &dyn Fn() -> bool| {
        while start.elapsed() < end && !stop() && !is_done() {
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    // Whoever has not heard of it yet is served, however little is going on.
    wait(min_duration.min(timeout), &|| false);
    // From here on nobody can come in, or those who always do would be cut off at the end.
    if admin.post("drain_listeners").is_ok() {
        wait(timeout, &|| Active::of(admin).map_or(true, |active| active.is_done(start.elapsed())));
    }
}

/// What goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Active {
    /// Connections of any kind.
    connections: u64,
    /// Those that carry requests.
    http: u64,
    /// Requests.
    requests: u64,
}

impl Active {
    fn of(admin: &Admin) -> Result<Self, ureq::Error> {
        admin.stats(r"^(http|listener)\..*\.downstream_(cx|rq)_active$").map(|stats| Self::in_stats(&stats))
    }

    /// Without the administration interface, which we are asking right now, and without the parts of each thread.
    fn in_stats(stats: &Stats) -> Self {
        let sum = |start: &str, end: &str| {
            let of_clients = stats.iter().filter(|(name, _)| {
                name.strip_prefix(start).is_some_and(|rest| {
                    rest.ends_with(end) && !rest.starts_with("admin.") && !rest.contains(".worker_")
                })
            });
            of_clients.map(|(_, count)| count).sum()
        };
        Self {
            connections: sum("listener.", ".downstream_cx_active"),
            http: sum("http.", ".downstream_cx_active"),
            requests: sum("http.", ".downstream_rq_active"),
        }
    }

    /// Whether nothing is cut off. Nobody knows whether bytes of TCP are on their way.
    fn is_done(self, waited: Duration) -> bool {
        self.connections == 0 || (self.requests == 0 && self.connections <= self.http && waited > IDLE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_connection_and_the_parts_of_threads_do_not_count() {
        let stats = [
            ("http.admin.downstream_cx_active", 1),
            ("http.outbound_0.0.0.0_80.downstream_cx_active", 2),
            ("http.outbound_0.0.0.0_80.downstream_rq_active", 3),
            ("listener.admin.downstream_cx_active", 1),
            ("listener.admin.main_thread.downstream_cx_active", 1),
            ("listener.0.0.0.0_80.downstream_cx_active", 4),
            ("listener.0.0.0.0_80.worker_0.downstream_cx_active", 4),
        ];
        let stats = stats.map(|(name, count)| (name.to_owned(), count)).into();
        assert_eq!(Active::in_stats(&stats), Active { connections: 4, http: 2, requests: 3 });
    }

    #[test]
    fn idle_connections_are_waited_for_a_little_and_tcp_to_its_end() {
        let active = |connections, http, requests| Active { connections, http, requests };
        let (soon, later) = (Duration::ZERO, IDLE * 2);
        assert!(active(0, 0, 0).is_done(soon));
        assert!(!active(1, 1, 0).is_done(soon) && active(1, 1, 0).is_done(later));
        assert!(!active(1, 1, 1).is_done(later), "a request");
        assert!(!active(2, 1, 0).is_done(later), "a connection of TCP");
    }

    #[test]
    fn only_a_supervisor_knows_of_load_balancers() {
        let times = DrainTimes::default();
        assert_eq!(times.min_duration(By::Supervisor), MIN_DURATION);
        assert_eq!(times.min_duration(By::User), Duration::ZERO);
        let long = DrainTimes { min_duration: Some(TIMEOUT), timeout: None };
        assert_eq!(long.min_duration(By::User), TIMEOUT);
        assert!(long.timeout() > TIMEOUT);
    }
}
