//! CPU time of a process, as the kernel accounts for it.

use anyhow::{Context as _, Result};
use nix::time::{ClockId, clock_getcpuclockid};
use nix::unistd::Pid;

/// Reads the CPU time of one process.
#[derive(Debug)]
pub(super) struct Meter {
    clock: ClockId,
    status: String,
}

impl Meter {
    /// For the process `id`.
    pub(super) fn new(id: u32) -> Result<Self> {
        let clock =
            clock_getcpuclockid(Pid::from_raw(id.try_into()?)).with_context(|| format!("process {id}"))?;
        Ok(Self { clock, status: format!("/proc/{id}/status") })
    }

    /// Memory that the process has in use.
    pub(super) fn resident_bytes(&self) -> Result<u64> {
        let status = std::fs::read_to_string(&self.status).with_context(|| self.status.clone())?;
        resident(&status)
    }

    /// Seconds that all threads of the process have run so far, in user and in system mode.
    pub(super) fn seconds(&self) -> Result<f64> {
        let time = self.clock.now().context("the process is gone")?;
        Ok(time.tv_sec() as f64 + time.tv_nsec() as f64 / 1e9)
    }
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
