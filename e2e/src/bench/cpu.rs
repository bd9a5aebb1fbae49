//! CPU time of a process, as the kernel accounts for it.

use std::process::Command;

use anyhow::{Context as _, Result};

/// Reads the CPU time of one process.
#[derive(Debug)]
pub(super) struct Meter {
    stat: String,
    status: String,
    ticks_per_second: f64,
}

impl Meter {
    /// For the process `id`.
    pub(super) fn new(id: u32) -> Result<Self> {
        let output = Command::new("getconf").arg("CLK_TCK").output().context("can't run getconf")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let ticks_per_second =
            text.trim().parse().with_context(|| format!("`getconf CLK_TCK` says `{}`", text.trim()))?;
        Ok(Self { stat: format!("/proc/{id}/stat"), status: format!("/proc/{id}/status"), ticks_per_second })
    }

    /// Memory that the process has in use.
    pub(super) fn resident_bytes(&self) -> Result<u64> {
        let status = std::fs::read_to_string(&self.status).with_context(|| self.status.clone())?;
        resident(&status)
    }

    /// Seconds that all threads of the process have run so far, in user and in system mode.
    pub(super) fn seconds(&self) -> Result<f64> {
        let stat = std::fs::read_to_string(&self.stat).with_context(|| self.stat.clone())?;
        let ticks =
            ticks(&stat).with_context(|| format!("{} is not of the known form: `{stat}`", self.stat))?;
        Ok(ticks as f64 / self.ticks_per_second)
    }
}

/// `utime` + `stime` of a line of `/proc/PID/stat` (proc(5)): fields 14 and 15, counted after the name in parentheses,
/// which may itself hold spaces and parentheses.
fn ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let utime: u64 = fields.nth(11)?.parse().ok()?;
    let stime: u64 = fields.next()?.parse().ok()?;
    Some(utime + stime)
}

/// `VmRSS` of a `/proc/PID/status`, in bytes.
fn resident(status: &str) -> Result<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no line VmRSS")?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse().context(line.to_owned())?;
    Ok(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_system_time_are_added() {
        let rest = "S 1 2 3 0 -1 4194304 900 0 12 0 1234 66 7 8 20 0 3 0 5000 1 2";
        assert_eq!(ticks(&format!("4242 (envoy) {rest}")), Some(1300));
        assert_eq!(ticks(&format!("4242 (odd) name (1 2) {rest}")), Some(1300));
        assert_eq!(ticks("4242 (envoy) S 1 2"), None);
        assert_eq!(ticks(""), None);
    }

    #[test]
    fn work_takes_time() {
        let meter = Meter::new(std::process::id()).unwrap();
        let before = meter.seconds().unwrap();
        let mut sum = 0u64;
        while meter.seconds().unwrap() <= before {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
    }

    #[test]
    fn the_kernel_counts_kilobytes() {
        assert_eq!(resident("VmPeak:\t 9 kB\nVmRSS:\t    1234 kB\n").unwrap(), 1234 * 1024);
        assert!(resident("").is_err());
    }
}
