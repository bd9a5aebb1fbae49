//! What becomes of a change that is not taken over.

use std::time::{Duration, Instant};

use crate::Exit;

/// Why a change is not taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// It is wrong.
    Refused,
    /// Something around it is, which may be right a moment later: a full disk, a port that is taken, DNS that does not
    /// answer.
    Passing,
    /// Somebody wants to stop.
    Stopped,
}

impl From<Exit> for Failure {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Success => Self::Stopped,
            Exit::Environment => Self::Passing,
            _ => Self::Refused,
        }
    }
}

/// When a change that failed is tried once more.
#[derive(Debug)]
pub(super) struct Again {
    at: Instant,
    /// How long was waited for it.
    wait: Duration,
}

impl Again {
    const FIRST: Duration = Duration::from_secs(5);
    const LAST: Duration = Duration::from_secs(60);

    /// Twice as late each time that it fails in a row.
    pub(super) fn after(before: Option<&Self>) -> Self {
        let wait = before.map_or(Self::FIRST, |before| (before.wait * 2).min(Self::LAST));
        Self { at: Instant::now() + wait, wait }
    }

    /// When.
    pub(super) fn at(&self) -> Instant {
        self.at
    }

    /// How long is waited for it.
    pub(super) fn wait(&self) -> Duration {
        self.wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_in_a_row_waits_longer_up_to_a_minute() {
        let mut again = None;
        let waits = std::iter::repeat_with(|| {
            let next = Again::after(again.as_ref());
            again.insert(next).wait().as_secs()
        });
        assert_eq!(waits.take(6).collect::<Vec<_>>(), [5, 10, 20, 40, 60, 60]);
    }

    #[test]
    fn only_what_is_around_a_change_passes() {
        assert_eq!(Failure::from(Exit::Environment), Failure::Passing);
        assert_eq!(Failure::from(Exit::Refused), Failure::Refused);
        assert_eq!(Failure::from(Exit::Success), Failure::Stopped);
    }
}
