//! Where the figures come from: the machine, how busy it was, and which cores are whose.

use std::fs::read_to_string;
use std::process::Command;
use std::sync::LazyLock;

use anyhow::{Context as _, Result};
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;
use serde::Serialize;

/// The cores of the measured Envoy, and of the load generator with the upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cores {
    /// `None`: wherever the kernel likes.
    pub(super) envoy: Option<usize>,
    /// As [`Self::envoy`].
    pub(super) load: Option<usize>,
}

impl Cores {
    /// One each, where there are two and `taskset` is here to keep them apart.
    pub(super) fn find() -> Self {
        let separate = cores() > 1 && Command::new("taskset").arg("--version").output().is_ok();
        if separate { Self { envoy: Some(0), load: Some(1) } } else { Self { envoy: None, load: None } }
    }
}

/// A command that runs on `core` only.
pub(super) fn pinned(program: &str, core: Option<usize>) -> Command {
    let Some(core) = core else { return Command::new(program) };
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", &core.to_string(), program]);
    command
}

/// Has this process run on `core` only, and all that it starts from now on.
pub(super) fn pin_this_process(core: usize) -> Result<()> {
    let mut cores = CpuSet::new();
    cores.set(core)?;
    sched_setaffinity(Pid::from_raw(0), &cores).with_context(|| format!("not on core {core}"))
}

/// The machine at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Machine {
    /// The processor's name.
    pub(super) processor: String,
    /// How many cores.
    pub(super) cores: usize,
    /// The kernel's release.
    pub(super) kernel: String,
    /// Whether Envoy and the load generator had a core each.
    pub(super) pinned: bool,
    /// Processes that ran or wanted to, on average over the last minute, before the measurement.
    pub(super) load_before: f64,
    /// The same after it; the measurement itself makes for about two.
    pub(super) load_after: Option<f64>,
}

impl Machine {
    /// As it is now.
    pub(super) fn read() -> Self {
        let processors = read_to_string("/proc/cpuinfo").unwrap_or_default();
        let kernel = read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Self {
            processor: processor(&processors).unwrap_or("unknown").to_owned(),
            cores: cores(),
            kernel: kernel.trim().to_owned(),
            pinned: Cores::find().envoy.is_some(),
            load_before: load_average().unwrap_or_default(),
            load_after: None,
        }
    }

    /// The same machine after the measurement.
    pub(super) fn after(self) -> Self {
        Self { load_after: load_average(), ..self }
    }

    /// Says so when others keep the machine busy.
    pub(super) fn warn_if_busy(&self) {
        if self.load_before > 1.0 {
            eprintln!(
                "bench: this machine is busy (load {:.1} on {} cores): take the figures with care",
                self.load_before, self.cores
            );
        }
    }
}

/// As many as there were before [`pin_this_process`].
fn cores() -> usize {
    static CORES: LazyLock<usize> =
        LazyLock::new(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get));
    *CORES
}

fn processor(cpuinfo: &str) -> Option<&str> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim())
}

fn load_average() -> Option<f64> {
    read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_has_a_name() {
        let info = "processor\t: 0\nvendor_id\t: Some\nmodel name\t: Some CPU @ 2.0GHz\n";
        assert_eq!(processor(info), Some("Some CPU @ 2.0GHz"));
        assert_eq!(processor("processor\t: 0\n"), None);
    }

    #[test]
    fn a_pinned_program_runs_under_taskset() {
        let command = pinned("envoy", Some(1));
        let arguments: Vec<_> = command.get_args().map(|argument| argument.to_string_lossy()).collect();
        assert_eq!(
            (command.get_program().to_str(), arguments.join(" ")),
            (Some("taskset"), "--cpu-list 1 envoy".into())
        );
        assert_eq!(pinned("envoy", None).get_program(), "envoy");
    }
}
