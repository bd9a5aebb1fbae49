//! What `run` waits for: signals, changed files, and what Envoy says.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;

/// Something has happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    /// The user wants to stop.
    Stop,
    /// Some file may have changed.
    Changed,
    /// Envoy has written a line.
    Line(String),
    /// Envoy has closed its output: it is gone, or about to.
    Closed,
}

/// A change is looked at when the files have been quiet for so long: editors write in several steps.
const QUIET: Duration = Duration::from_millis(150);
/// A file that never rests is looked at all the same.
const PATIENCE: Duration = Duration::from_secs(2);

/// Sends [`Event::Stop`] on SIGTERM, SIGINT and SIGQUIT, and on the first SIGHUP: the terminal is closed.
pub(super) fn signals(events: Sender<Event>) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGQUIT])?;
    if !is_ignored(SIGHUP) {
        signals.add_signal(SIGHUP)?;
    }
    thread::spawn(move || {
        let mut hung_up = false;
        for signal in signals.forever() {
            // A shell sends one more, which does not mean that it is urgent.
            let again = signal == SIGHUP && std::mem::replace(&mut hung_up, true);
            if !again && events.send(Event::Stop).is_err() {
                return;
            }
        }
    });
    Ok(())
}

/// Whether whoever has started us wants this signal ignored, as `nohup` does.
fn is_ignored(signal: i32) -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| ignores(&status, signal))
}

fn ignores(status: &str, signal: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    u32::try_from(signal - 1).ok().and_then(|bit| mask.checked_shr(bit)).is_some_and(|mask| mask & 1 == 1)
}

/// Sends the lines of Envoy's output.
pub(super) fn lines(output: impl Read + Send + 'static, events: Sender<Event>) {
    thread::spawn(move || {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        while let Ok(1..) = output.read_until(b'\n', &mut line) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            line.clear();
            if events.send(Event::Line(text)).is_err() {
                return;
            }
        }
        let _ = events.send(Event::Closed);
    });
}

/// Waits until the files rest. Lines and signals that come meanwhile are put into `kept`.
pub(super) fn settle(events: &Receiver<Event>, kept: &mut VecDeque<Event>) {
    let end = Instant::now() + PATIENCE;
    loop {
        let wait = QUIET.min(end.saturating_duration_since(Instant::now()));
        match events.recv_timeout(wait) {
            Ok(Event::Changed) if Instant::now() < end => {}
            Ok(Event::Changed) | Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
            Ok(other) => {
                let ends = matches!(other, Event::Stop | Event::Closed);
                kept.push_back(other);
                if ends {
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn what_comes_while_files_settle_is_kept() {
        let (sender, events) = mpsc::channel();
        for event in [Event::Changed, Event::Line("x".to_owned()), Event::Stop, Event::Changed] {
            sender.send(event).unwrap();
        }
        let mut kept = VecDeque::new();
        settle(&events, &mut kept);
        assert_eq!(kept, [Event::Line("x".to_owned()), Event::Stop]);
    }

    #[test]
    fn ignored_signals_are_known() {
        let status = "Name:\toutrigger\nSigIgn:\t0000000000001001\nSigCgt:\t0000000000004003\n";
        assert!(ignores(status, SIGHUP) && ignores(status, 13));
        assert!(!ignores(status, SIGINT) && !ignores(status, SIGTERM) && !ignores("", SIGHUP));
    }
}
