//! The Envoy process: started, listened to, stopped.

use std::collections::VecDeque;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::RunOptions;
use super::ask::ask;
use super::events::{self, Event};
use super::launcher::Launcher;
use super::say::say;

/// How long Envoy may take to end.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many of its last lines are kept.
const LINES: usize = 40;

/// What Envoy says at each start, by words of each line: of a limit that no Istio proxy has, and of a field that Istio writes too,
/// since its successor does not tell upstreams the time that is left.
const EXPECTED: [&[&str]; 2] = [
    &["There is no configured limit to the number of allowed active downstream connections"],
    &["eprecated field", "max_grpc_timeout"],
];

/// A running Envoy.
#[derive(Debug)]
pub(super) struct Envoy {
    child: Child,
    last_lines: VecDeque<String>,
    /// A filter of its has broken down for good.
    unguarded: bool,
}

impl Envoy {
    /// Starts it with the bootstrap at `path`.
    pub(super) fn start(
        launcher: &Launcher,
        options: &RunOptions,
        path: &Path,
        folder: &Path,
        events: Sender<Event>,
        drain_duration: Duration,
    ) -> io::Result<Self> {
        let mut command = arguments(launcher.command(folder), path, options);
        command.args([
            "--disable-hot-restart",
            "--drain-time-s",
            &drain_duration.as_secs().max(1).to_string(),
            "--drain-strategy",
            "immediate",
        ]);
        if let Some(threads) = options.concurrency {
            command.args(["--concurrency", &threads.to_string()]);
        }
        // A group of its own: Ctrl-C in a terminal is for us alone, so that we can let Envoy finish its requests.
        command.process_group(0).stdin(Stdio::null()).stderr(Stdio::piped());
        #[cfg(target_os = "linux")]
        end_with_us(&mut command);
        let mut child = command.spawn()?;
        if let Some(output) = child.stderr.take() {
            let pid = child.id();
            // `docker run` passes on what can be passed on.
            let how = if matches!(launcher, Launcher::Image(_)) { Signal::TERM } else { Signal::KILL };
            events::lines(output, events, move |line| {
                if leaves_filter_out(line) {
                    signal(pid, how);
                }
            });
        }
        Ok(Self { child, last_lines: VecDeque::new(), unguarded: false })
    }

    /// Passes a line of its log on to the user.
    pub(super) fn log(&mut self, line: String) {
        if EXPECTED.iter().any(|words| words.iter().all(|word| line.contains(word))) {
            return;
        }
        say!("envoy: {line}");
        self.unguarded |= leaves_filter_out(&line);
        if self.last_lines.len() == LINES {
            self.last_lines.pop_front();
        }
        self.last_lines.push_back(line);
    }

    /// Forgets the lines so far, so that [`Self::said`] looks at what comes.
    pub(super) fn forget(&mut self) {
        self.last_lines.clear();
    }

    /// The last lines of its log.
    pub(super) fn said(&self) -> impl Iterator<Item = &str> {
        self.last_lines.iter().map(String::as_str)
    }

    /// Whether requests pass it without one of its filters.
    pub(super) fn is_unguarded(&self) -> bool {
        self.unguarded
    }

    /// Whether it is gone, and how it ended.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Ends it.
    pub(super) fn stop(&mut self) {
        self.signal(Signal::TERM);
        let end = Instant::now() + PATIENCE;
        while self.ended().is_none() {
            if Instant::now() > end {
                self.signal(Signal::KILL);
                let _ = self.child.wait();
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn signal(&self, how: Signal) {
        signal(self.child.id(), how);
    }
}

fn signal(process: u32, how: Signal) {
    // It may be gone already, and that is what is wanted.
    let _ = i32::try_from(process).ok().and_then(Pid::from_raw).map(|pid| kill_process(pid, how));
}

impl Drop for Envoy {
    fn drop(&mut self) {
        if self.ended().is_none() {
            self.stop();
        }
    }
}

/// Has the kernel end the process should this thread end before it, even by SIGKILL: an Envoy that nobody watches over would go
/// on with the policies of then, beside one that is started anew, with whom it would share the ports.
#[cfg(target_os = "linux")]
fn end_with_us(command: &mut Command) {
    let us = rustix::process::getpid();
    // SAFETY: between fork and exec only two system calls are made, and no memory is allocated.
    unsafe {
        command.pre_exec(move || {
            rustix::process::set_parent_process_death_signal(Some(Signal::TERM))?;
            match rustix::process::getppid() == Some(us) {
                true => Ok(()),
                false => Err(io::ErrorKind::BrokenPipe.into()),
            }
        });
    }
}

/// Envoy has not said that a configuration is right.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// It refuses it, for these reasons.
    Refused(Vec<String>),
    /// It can't be asked.
    Failed(String),
}

/// Lets Envoy judge a complete bootstrap.
///
/// # Errors
/// What it says, or why it can't be asked; also if `stop` has come first.
pub(super) fn validate(
    launcher: &Launcher,
    options: &RunOptions,
    path: &Path,
    folder: &Path,
    stop: &mut dyn FnMut() -> bool,
) -> Result<(), Unfit> {
    let mut command = arguments(launcher.command(folder), path, options);
    let output = ask(command.args(["--mode", "validate"]), stop)
        .map_err(|error| Unfit::Failed(format!("can't run Envoy: {error}")))?;
    judgement(output.status, &String::from_utf8_lossy(&output.stderr))
}

fn judgement(status: ExitStatus, said: &str) -> Result<(), Unfit> {
    if status.success() {
        return Ok(());
    }
    // Docker adds 128 to the number of the signal that has ended a container.
    if status.code().is_none_or(|code| code > 128) {
        return Err(Unfit::Failed(format!(
            "Envoy has not judged the configuration ({status}){}",
            last_words(said)
        )));
    }
    let reasons = reasons(said.lines());
    let unknown = || vec![format!("it does not say why ({status}){}", last_words(said))];
    Err(Unfit::Refused(if reasons.is_empty() { unknown() } else { reasons }))
}

/// The end of what it said, for a message.
fn last_words(said: &str) -> String {
    const LAST: usize = 5;
    let lines: Vec<_> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = lines.iter().skip(lines.len().saturating_sub(LAST));
    last.map(|line| format!("\n  {line}")).collect()
}

fn arguments(mut command: Command, path: &Path, options: &RunOptions) -> Command {
    let level = options.log_level.as_deref().unwrap_or("warning");
    command.arg("-c").arg(path).args(["--log-level", level]);
    // What is said of broken filters has to be heard.
    if matches!(level, "critical" | "off") {
        command.args(["--component-log-level", "wasm:error"]);
    }
    command
}

/// Whether this line of Envoy's log says that a thread has no VM for a filter that all others have taken. Whatever the failure
/// policy, Envoy then leaves the filter out: requests would pass by all policies.
fn leaves_filter_out(line: &str) -> bool {
    line.contains("Failed to") && line.contains("thread-local Wasm")
}

/// What tells why something was refused: the filters' own words if there are any, else Envoy's.
pub(super) fn reasons<'l>(lines: impl Iterator<Item = &'l str> + Clone) -> Vec<String> {
    let message = |line: &str| line.splitn(6, ']').last().unwrap_or(line).trim().to_owned();
    let from_filters =
        lines.clone().filter_map(|line| line.split_once("wasm log ").map(|(_, said)| said.to_owned()));
    let from_filters: Vec<_> = from_filters.collect();
    if from_filters.is_empty() {
        lines
            .filter(|line| line.contains("[critical]") || line.contains("reject") || line.contains("rror"))
            .map(message)
            .collect()
    } else {
        from_filters
    }
}

/// Where a bootstrap of its own for [`validate`] is.
pub(super) fn check_path(folder: &Path) -> PathBuf {
    folder.join("check.yaml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_is_left_out_is_noticed() {
        let line = "[2026-11-28 21:48:57.651][32637][error][wasm] [source/extensions/common/wasm/wasm.cc:104] Wasm VM \
                    failed Failed to configure thread-local Wasm plugin";
        assert!(leaves_filter_out(line));
        assert!(!leaves_filter_out(
            "[warning][config] Filesystem config update rejected: Unable to create Wasm plugin"
        ));
    }

    #[test]
    fn a_failure_never_goes_without_a_word() {
        use std::os::unix::process::ExitStatusExt as _;
        let exit = |code: i32| ExitStatus::from_raw(code << 8);
        assert_eq!(judgement(exit(0), "x"), Ok(()));
        let refused = |said: &str| Err(Unfit::Refused(vec![said.to_owned()]));
        assert_eq!(judgement(exit(1), "a\nsome error\n"), refused("some error"));
        let unknown = "it does not say why (exit status: 1)";
        assert_eq!(judgement(exit(1), "\n"), refused(unknown));
        assert_eq!(
            judgement(exit(1), "0\n1\n2\n3\n\n4\n5\n"),
            refused(&format!("{unknown}\n  1\n  2\n  3\n  4\n  5"))
        );
        let killed = [ExitStatus::from_raw(9), exit(137)].map(|status| judgement(status, "some error"));
        assert!(
            killed
                .iter()
                .all(|one| matches!(one, Err(Unfit::Failed(said)) if said.ends_with("\n  some error")))
        );
    }

    #[test]
    fn a_filters_own_words_come_first() {
        let lines = [
            "[2026-11-23 21:58:36.172][1][error][wasm] [context.cc:1] wasm log outrigger: resources[0].spec: no",
            "[2026-11-23 21:58:36.172][1][error][wasm] [wasm.cc:1] Wasm VM failed",
            "[2026-11-23 21:58:36.180][1][critical][main] [server.cc:76] error initializing configuration 'x'",
        ];
        assert_eq!(reasons(lines.into_iter()), ["outrigger: resources[0].spec: no"]);
        let without = lines.into_iter().skip(2);
        assert_eq!(reasons(without), ["error initializing configuration 'x'"]);
    }
}
