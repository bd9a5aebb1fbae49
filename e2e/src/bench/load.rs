//! The load generator: wrk.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::machine::pinned;

/// What is sent, again and again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Request {
    /// Path and query.
    pub(super) path: String,
    /// Header lines besides those of the load generator, with `host`.
    pub(super) headers: Vec<(String, String)>,
    /// Each request has another one of these.
    pub(super) each: Option<Lines>,
    /// Every answer has to be a refusal; otherwise none may be.
    pub(super) refused: bool,
}

/// Values of a header in a file, one a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lines {
    /// The header.
    pub(super) header: &'static str,
    /// The file.
    pub(super) file: PathBuf,
}

impl Lines {
    /// One of them, from 0.
    pub(super) fn get(&self, number: usize) -> Result<String> {
        let text = std::fs::read_to_string(&self.file)?;
        text.lines().nth(number).map(str::to_owned).context("a file without so many lines")
    }

    /// What makes wrk send them in turn. The requests are put together before the first is sent.
    fn script(&self) -> String {
        format!(
            "local requests, at = {{}}, 0
init = function()
  for line in io.lines('{}') do
    wrk.headers['{}'] = line
    requests[#requests + 1] = wrk.format()
  end
end
request = function()
  at = at % #requests + 1
  return requests[at]
end
",
            self.file.display(),
            self.header
        )
    }
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
        if let Some(lines) = &request.each {
            let script = lines.file.with_extension("lua");
            std::fs::write(&script, lines.script())?;
            command.arg("--script").arg(script);
        }
        command.arg(format!("http://127.0.0.1:{port}{}", request.path));
        let output = command.output().with_context(|| format!("can't start {}", self.program))?;
        let said = String::from_utf8_lossy(&output.stdout);
        match answers(&said, request.refused) {
            Some(count) if count > 0 && output.status.success() => Ok(count),
            _ => {
                bail!("wrk did not get only good answers:\n{said}{}", String::from_utf8_lossy(&output.stderr))
            }
        }
    }
}

/// The number of answers in wrk's summary. `None` if any was not a 2xx or 3xx, or was one where all are `refused`, or a
/// connection failed: their cost is not what is to be measured.
fn answers(summary: &str, refused: bool) -> Option<u64> {
    if summary.contains("Socket errors") {
        return None;
    }
    let line = summary.lines().find(|line| line.contains(" requests in "))?;
    let all = line.split_whitespace().next()?.parse().ok()?;
    let bad = summary.lines().find_map(|line| line.trim().strip_prefix("Non-2xx or 3xx responses: "));
    let bad: u64 = bad.map_or(Some(0), |bad| bad.trim().parse().ok())?;
    (bad == if refused { all } else { 0 }).then_some(all)
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
        assert_eq!(answers(SUMMARY, false), Some(24628));
        assert_eq!(answers(SUMMARY, true), None);
        assert_eq!(answers("", false), None);
        let refused = format!("{SUMMARY}  Non-2xx or 3xx responses: 24628\n");
        assert_eq!(answers(&refused, true), Some(24628));
    }

    #[test]
    fn bad_answers_do_not_count() {
        for bad in
            ["  Non-2xx or 3xx responses: 7\n", "  Socket errors: connect 0, read 1, write 0, timeout 0\n"]
        {
            assert_eq!(
                answers(&SUMMARY.replace("Requests/sec", &format!("{bad}Requests/sec")), false),
                None,
                "{bad}"
            );
        }
    }
}
