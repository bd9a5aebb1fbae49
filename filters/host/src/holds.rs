//! Requests that wait for a moment to come: a deadline heap and an adaptive tick.
//!
//! One timer per plugin and thread drives them all. It never fires early, costs nothing while nobody waits, and a
//! waiting request costs no thread.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::time::Duration;

/// How many streams one tick may let go: their callbacks nest inside the tick, and some 270 of them overflow the VM's
/// stack.
pub(crate) const RELEASES_PER_TICK: usize = 50;

/// Waiting requests by stream, each with what to do when its time has come.
#[derive(Debug)]
pub(crate) struct Holds<T> {
    deadlines: BinaryHeap<Reverse<(Duration, u32)>>,
    /// With the deadline that counts, should a stream have several.
    waiting: HashMap<u32, (Duration, T)>,
}

impl<T> Default for Holds<T> {
    fn default() -> Self {
        Self { deadlines: BinaryHeap::new(), waiting: HashMap::new() }
    }
}

impl<T> Holds<T> {
    /// Holds a stream until `deadline`. Returns whether it is now the next one due, so that the timer must be set.
    pub(crate) fn insert(&mut self, deadline: Duration, stream: u32, then: T) -> bool {
        self.waiting.insert(stream, (deadline, then));
        self.deadlines.push(Reverse((deadline, stream)));
        self.deadlines.peek().is_some_and(|Reverse((_, first))| *first == stream)
    }

    /// Lets a stream that waits be due at `now`.
    pub(crate) fn hasten(&mut self, now: Duration, stream: u32) {
        if let Some((deadline, _)) = self.waiting.get_mut(&stream) {
            *deadline = now;
            self.deadlines.push(Reverse((now, stream)));
        }
    }

    /// Forgets a stream that has ended. Its heap entry is dropped when it comes up, or with many others: they never
    /// outnumber the streams that wait by much, however long the delays are.
    pub(crate) fn remove(&mut self, stream: u32) {
        self.waiting.remove(&stream);
        if self.deadlines.len() > self.waiting.len().saturating_mul(2).saturating_add(64) {
            let waiting = &self.waiting;
            self.deadlines.retain(|Reverse((deadline, stream))| {
                waiting.get(stream).is_some_and(|(counts, _)| counts == deadline)
            });
        }
    }

    /// Takes up to [`RELEASES_PER_TICK`] streams that are due at `now`.
    pub(crate) fn take_due(&mut self, now: Duration) -> Vec<(u32, T)> {
        let mut due = Vec::new();
        while due.len() < RELEASES_PER_TICK {
            match self.deadlines.peek() {
                Some(Reverse((deadline, _))) if *deadline <= now => {}
                _ => break,
            }
            let Some(Reverse((deadline, stream))) = self.deadlines.pop() else { break };
            if self.waiting.get(&stream).is_some_and(|(counts, _)| *counts == deadline)
                && let Some((_, then)) = self.waiting.remove(&stream)
            {
                due.push((stream, then));
            }
        }
        due
    }

    /// Milliseconds until the next stream is due, rounded up and at least 1; 0 if none waits, which stops the timer.
    pub(crate) fn next_tick(&self, now: Duration) -> u32 {
        let Some(Reverse((deadline, _))) = self.deadlines.peek() else { return 0 };
        let left = deadline.saturating_sub(now);
        let milliseconds = left.as_secs().saturating_mul(1000);
        let milliseconds = milliseconds.saturating_add(left.subsec_micros().div_ceil(1000).into());
        u32::try_from(milliseconds).unwrap_or(u32::MAX).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn streams_are_released_in_order_and_never_early() {
        let mut holds = Holds::default();
        assert!(holds.insert(at(50), 1, "b"));
        assert!(holds.insert(at(20), 2, "a"));
        assert!(!holds.insert(at(90), 3, "c"));
        assert_eq!(holds.next_tick(at(0)), 20);
        assert_eq!(holds.next_tick(Duration::from_micros(19_001)), 1);
        assert!(holds.take_due(at(19)).is_empty());
        assert_eq!(holds.take_due(at(60)), [(2, "a"), (1, "b")]);
        assert_eq!(holds.next_tick(at(60)), 30);
    }

    #[test]
    fn ended_streams_are_not_released() {
        let mut holds = Holds::default();
        holds.insert(at(1), 1, ());
        holds.insert(at(2), 2, ());
        holds.remove(1);
        assert_eq!(holds.take_due(at(5)), [(2, ())]);
        holds.insert(at(9), 3, ());
        holds.remove(3);
        assert!(holds.take_due(at(9)).is_empty());
        assert_eq!(holds.next_tick(at(9)), 0);
    }

    #[test]
    fn streams_that_have_left_take_no_room() {
        let mut holds = Holds::default();
        for stream in 0..10_000 {
            holds.insert(at(3_600_000), stream, ());
            if stream % 10 != 0 {
                holds.remove(stream);
            }
            assert!(holds.deadlines.len() <= holds.waiting.len() * 2 + 65);
        }
        assert_eq!(holds.waiting.len(), 1000);
        assert_eq!((0..40).map(|_| holds.take_due(at(3_600_000)).len()).sum::<usize>(), 1000);
    }

    #[test]
    fn one_tick_releases_a_bounded_number() {
        let mut holds = Holds::default();
        for stream in 0..120 {
            holds.insert(at(1), stream, ());
        }
        let sizes: Vec<usize> = (0..4).map(|_| holds.take_due(at(5)).len()).collect();
        assert_eq!(sizes, [50, 50, 20, 0]);
    }
}
