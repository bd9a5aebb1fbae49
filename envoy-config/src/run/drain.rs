//! Stopping without a request cut off.

use std::time::{Duration, Instant};

use super::admin::{Admin, Stats};

/// How long an idle connection is waited for: its client may have sent a request that is on its way.
const IDLE: Duration = Duration::from_secs(2);
/// How long requests may go on.
const PATIENCE: Duration = Duration::from_secs(30);

/// Tells clients and load balancers to go elsewhere, and waits until the requests here are done; `stop` ends the wait.
pub(super) fn drain(admin: &Admin, mut stop: impl FnMut() -> bool) {
    // An Envoy that does not answer has nothing to wait for.
    if admin.post("healthcheck/fail").and_then(|()| admin.post("drain_listeners?graceful&skip_exit")).is_err()
    {
        return;
    }
    let start = Instant::now();
    while start.elapsed() < PATIENCE && !stop() {
        let Ok(stats) = admin.stats(r"^http\..*\.downstream_(cx|rq)_active$") else { return };
        let (connections, requests) = (sum(&stats, "cx_active"), sum(&stats, "rq_active"));
        if connections == 0 || (requests == 0 && start.elapsed() > IDLE) {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// All but those of the administration interface, which we are asking right now.
fn sum(stats: &Stats, end: &str) -> u64 {
    let of_clients = stats.iter().filter(|(name, _)| name.ends_with(end) && !name.starts_with("http.admin."));
    of_clients.map(|(_, count)| count).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_connection_does_not_count() {
        let stats = Stats::from([
            ("http.admin.downstream_cx_active".to_owned(), 1),
            ("http.outbound_0.0.0.0_80.downstream_cx_active".to_owned(), 2),
            ("http.outbound_0.0.0.0_80.downstream_rq_active".to_owned(), 3),
        ]);
        assert_eq!((sum(&stats, "cx_active"), sum(&stats, "rq_active")), (2, 3));
    }
}
