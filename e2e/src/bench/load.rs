//! The load generator: wrk.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::machine::pinned;

/// What is sent, again and again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    /// Path and query.
    pub(super) path: String,
    /// Header lines besides those of the load generator, with `host`.
    pub(super) headers: Vec<(String, String)>,
}

/// wrk, as found on this machine.
#[derive(Debug)]
pub(super) struct Generator {
    program: String,
    core: Option<usize>,
    connections: u32,
}

impl Generator {
    /// `WRK` names it, or it is on PATH.
    pub(super) fn find(core: Option<usize>, connections: u32) -> Result<Self> {
        let program = std::env::var("WRK").unwrap_or_else(|_| "wrk".to_owned());
        Command::new(&program)
            .arg("--version")
            .output()
            .with_context(|| format!("can't start `{program}`: run through ./makew, or set WRK"))?;
        Ok(Self { program, core, connections })
    }

    /// Its version.
    pub(super) fn version() -> Option<String> {
        let program = std::env::var("WRK").unwrap_or_else(|_| "wrk".to_owned());
        let said = Command::new(program).arg("--version").output().ok()?;
        let text = String::from_utf8_lossy(&said.stdout);
        text.split_whitespace().nth(1).map(str::to_owned)
    }

    /// Sends `request` to `port` for so many seconds; the number of answers.
    pub(super) fn run(&self, port: u16, request: &Request, seconds: u32) -> Result<u64> {
        let mut command = pinned(&self.program, self.core);
        command.args(["--threads", "1", "--connections"]).arg(self.connections.to_string());
        command.arg("--duration").arg(format!("{seconds}s"));
        for (name, value) in &request.headers {
            // In any other case wrk adds a host of its own.
            let name = if name == "host" { "Host" } else { name };
            command.arg("--header").arg(format!("{name}: {value}"));
        }
        command.arg(format!("http://127.0.0.1:{port}{}", request.path));
        let output = command.output().with_context(|| format!("can't start {}", self.program))?;
        let said = String::from_utf8_lossy(&output.stdout);
        match answers(&said) {
            Some(count) if count > 0 && output.status.success() => Ok(count),
            _ => {
                bail!("wrk did not get only good answers:\n{said}{}", String::from_utf8_lossy(&output.stderr))
            }
        }
    }
}

/// The number of answers in wrk's summary. `None` if any was not a 2xx or 3xx, or a connection failed: their cost is not
/// what is to be measured.
fn answers(summary: &str) -> Option<u64> {
    if summary.contains("Non-2xx") || summary.contains("Socket errors") {
        return None;
    }
    let line = summary.lines().find(|line| line.contains(" requests in "))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUMMARY: &str = "Running 1s test @ http://127.0.0.1:10000/orders
  1 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   720.51us  310.12us   9.84ms   92.17%
    Req/Sec    22.50k     1.32k   24.10k    81.82%
  24628 requests in 1.10s, 7.21MB read
Requests/sec:  22392.04
Transfer/sec:      6.55MB
";

    #[test]
    fn the_count_of_answers() {
        assert_eq!(answers(SUMMARY), Some(24628));
        assert_eq!(answers(""), None);
    }

    #[test]
    fn bad_answers_do_not_count() {
        for bad in
            ["  Non-2xx or 3xx responses: 7\n", "  Socket errors: connect 0, read 1, write 0, timeout 0\n"]
        {
            assert_eq!(
                answers(&SUMMARY.replace("Requests/sec", &format!("{bad}Requests/sec"))),
                None,
                "{bad}"
            );
        }
    }
}
