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
    /// Somebody wants to stop.
    Stop(By),
    /// Some file may have changed.
    Changed,
    /// Envoy has written a line.
    Line(String),
    /// Envoy has closed its output: it is gone, or about to.
    Closed,
}

/// Who wants to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// A person, who waits for it.
    User,
    /// What keeps services running, by SIGTERM: other programs may not know of it yet.
    Supervisor,
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
            let by = if signal == SIGTERM { By::Supervisor } else { By::User };
            if !again && events.send(Event::Stop(by)).is_err() {
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

/// Sends the lines of Envoy's output, each after `hear` has had it at once.
pub(super) fn lines(
    output: impl Read + Send + 'static,
    events: Sender<Event>,
    hear: impl Fn(&str) + Send + 'static,
) {
    thread::spawn(move || {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        while let Ok(1..) = output.read_until(b'\n', &mut line) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            line.clear();
            hear(&text);
            if events.send(Event::Line(text)).is_err() {
                return;
            }
        }
        let _ = events.send(Event::Closed);
    });
}

/// What has come and is not dealt with yet, the most urgent first.
#[derive(Debug)]
pub(super) struct Inbox {
    received: Receiver<Event>,
    stops: VecDeque<By>,
    lines: VecDeque<String>,
    closed: bool,
    changed: bool,
}

impl Inbox {
    /// Takes what is sent to `received`.
    pub(super) fn new(received: Receiver<Event>) -> Self {
        Self { received, stops: VecDeque::new(), lines: VecDeque::new(), closed: false, changed: false }
    }

    /// The next event; `None` if none has come before `end`.
    pub(super) fn next(&mut self, end: Option<Instant>) -> Option<Event> {
        loop {
            self.collect();
            if let Some(event) = self.most_urgent() {
                return Some(event);
            }
            let event = match end {
                None => self.received.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(end) => self.received.recv_timeout(end.saturating_duration_since(Instant::now())),
            };
            match event {
                Ok(event) => self.put(event),
                Err(RecvTimeoutError::Disconnected) => return Some(Event::Stop(By::User)),
                Err(RecvTimeoutError::Timeout) => return None,
            }
        }
    }

    /// The lines that have come.
    pub(super) fn lines(&mut self) -> impl Iterator<Item = String> {
        self.collect();
        self.lines.drain(..)
    }

    /// Whether somebody wants to stop.
    pub(super) fn is_stopped(&mut self) -> bool {
        self.collect();
        !self.stops.is_empty()
    }

    /// Whether Envoy is gone, or somebody wants to stop.
    pub(super) fn is_over(&mut self) -> bool {
        self.is_stopped() || self.closed
    }

    /// Waits until the files rest. All their changes so far are one.
    pub(super) fn settle(&mut self) {
        let end = Instant::now() + PATIENCE;
        while !self.is_over() {
            let wait = QUIET.min(end.saturating_duration_since(Instant::now()));
            match self.received.recv_timeout(wait) {
                Ok(Event::Changed) if Instant::now() >= end => break,
                Ok(event) => self.put(event),
                Err(_) => break,
            }
        }
        self.changed = false;
    }

    fn collect(&mut self) {
        while let Ok(event) = self.received.try_recv() {
            self.put(event);
        }
    }

    fn put(&mut self, event: Event) {
        match event {
            Event::Stop(by) => self.stops.push_back(by),
            Event::Line(line) => self.lines.push_back(line),
            Event::Closed => self.closed = true,
            Event::Changed => self.changed = true,
        }
    }

    fn most_urgent(&mut self) -> Option<Event> {
        if let Some(by) = self.stops.pop_front() {
            return Some(Event::Stop(by));
        }
        if let Some(line) = self.lines.pop_front() {
            return Some(Event::Line(line));
        }
        if std::mem::take(&mut self.closed) {
            return Some(Event::Closed);
        }
        std::mem::take(&mut self.changed).then_some(Event::Changed)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const STOP: Event = Event::Stop(By::User);

    fn inbox(events: impl IntoIterator<Item = Event>) -> (Sender<Event>, Inbox) {
        let (sender, received) = mpsc::channel();
        events.into_iter().for_each(|event| sender.send(event).unwrap());
        (sender, Inbox::new(received))
    }

    fn all(inbox: &mut Inbox) -> Vec<Event> {
        std::iter::from_fn(|| inbox.next(Some(Instant::now()))).collect()
    }

    #[test]
    fn what_comes_while_files_settle_is_kept() {
        let line = Event::Line("x".to_owned());
        let (_sender, mut inbox) = inbox([Event::Changed, line.clone(), STOP, Event::Changed]);
        inbox.settle();
        assert_eq!(all(&mut inbox), [STOP, line]);
    }

    #[test]
    fn a_stop_waits_for_no_change() {
        let many = std::iter::repeat_n(Event::Changed, 1000);
        let (_sender, mut inbox) = inbox(many.chain([STOP, STOP]));
        assert!(inbox.is_stopped());
        assert_eq!(all(&mut inbox), [STOP, STOP, Event::Changed]);
        assert!(!inbox.is_stopped());
    }

    #[test]
    fn envoys_last_lines_come_before_its_end() {
        let (sender, mut inbox) = inbox([Event::Changed, Event::Line("x".to_owned()), Event::Closed]);
        assert!(inbox.is_over() && !inbox.is_stopped());
        assert_eq!(all(&mut inbox), [Event::Line("x".to_owned()), Event::Closed, Event::Changed]);
        drop(sender);
        assert_eq!(inbox.next(None), Some(STOP), "nobody can send any more");
    }

    #[test]
    fn ignored_signals_are_known() {
        let status = "Name:\toutrigger\nSigIgn:\t0000000000001001\nSigCgt:\t0000000000004003\n";
        assert!(ignores(status, SIGHUP) && ignores(status, 13));
        assert!(!ignores(status, SIGINT) && !ignores(status, SIGTERM) && !ignores("", SIGHUP));
    }
}
