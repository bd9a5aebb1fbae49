//! What `run` waits for: signals, changed files, and what Envoy says.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};
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

/// Sends [`Event::Stop`] on SIGTERM and SIGINT.
pub(super) fn signals(events: Sender<Event>) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    thread::spawn(move || {
        for _ in signals.forever() {
            if events.send(Event::Stop).is_err() {
                return;
            }
        }
    });
    Ok(())
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
}
