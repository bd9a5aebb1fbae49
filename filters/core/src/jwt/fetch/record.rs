//! What all threads of a proxy know of one source.

use std::time::Duration;

use super::source::Source;
use crate::Now;

/// As many tries the first keys get before requests no longer wait for them.
const PATIENCE: u64 = 3;

/// The first pause after a failure; each further one is twice as long, up to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LAST_PAUSE: Duration = Duration::from_secs(60);

/// What a lease is longer than the answers may take.
const GRACE: Duration = Duration::from_secs(1);

/// The state of a source. Times are milliseconds since the Unix epoch, 0 is never.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Record {
    /// Counts the key sets that have been found; 0: none.
    pub version: u64,
    /// When to ask next.
    pub next: u64,
    /// Until when the keys may be used.
    pub usable_until: u64,
    /// When somebody asked last.
    pub asked: u64,
    /// Until then somebody is asking, and nobody else does.
    pub leased_until: u64,
    /// How often in a row it was in vain.
    pub failures: u64,
}

const FIELDS: usize = 6;

impl Record {
    /// As bytes, for the shared data of a proxy.
    pub fn encode(&self) -> [u8; FIELDS * 8] {
        let numbers: [u64; FIELDS] =
            [self.version, self.next, self.usable_until, self.asked, self.leased_until, self.failures];
        let mut bytes = [0; FIELDS * 8];
        for (place, number) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(numbers) {
            *place = number.to_le_bytes();
        }
        bytes
    }

    /// From bytes; others than [`Self::encode`] writes are no state at all.
    pub fn decode(bytes: &[u8]) -> Self {
        let (numbers, rest) = bytes.as_chunks::<8>();
        match numbers {
            [version, next, usable_until, asked, leased_until, failures] if rest.is_empty() => {
                let number = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
                Self {
                    version: number(version),
                    next: number(next),
                    usable_until: number(usable_until),
                    asked: number(asked),
                    leased_until: number(leased_until),
                    failures: number(failures),
                }
            }
            _ => Self::default(),
        }
    }

    /// Whether somebody should ask.
    pub fn is_due(&self, now: Now) -> bool {
        !self.is_leased(now) && self.next <= millis(now)
    }

    /// Whether somebody is asking.
    pub fn is_leased(&self, now: Now) -> bool {
        self.leased_until > millis(now)
    }

    /// Whether the server may be asked for a key that a token names and the set has not.
    pub fn may_ask_again(&self, source: &Source, now: Now) -> bool {
        !self.is_leased(now) && self.asked.saturating_add(duration(source.debounce())) <= millis(now)
    }

    /// Whether the keys may be used.
    pub fn is_usable(&self, now: Now) -> bool {
        self.version != 0 && millis(now) < self.usable_until
    }

    /// Whether the first keys may still come in a moment.
    pub fn is_promising(&self) -> bool {
        self.version == 0 && self.failures < PATIENCE
    }

    /// The same once the caller asks.
    #[must_use]
    pub fn leased(self, source: &Source, now: Now) -> Self {
        // A discovery takes two answers.
        let answers = source.timeout.saturating_mul(2).saturating_add(GRACE);
        Self { asked: millis(now), leased_until: millis(now).saturating_add(duration(answers)), ..self }
    }

    /// The same once keys were found: new ones, or those that are known. `draw` is any number, so that not all proxies
    /// ask at once.
    #[must_use]
    pub fn found(
        self,
        source: &Source,
        now: Now,
        max_age: Option<Duration>,
        is_new: bool,
        draw: u64,
    ) -> Self {
        let interval = duration(source.interval(max_age));
        let usable = interval.saturating_add(duration(source.max_stale));
        // Between 80 and 90 % of the interval: before the keys are no longer new.
        let tenth = interval / 10;
        let early = tenth.saturating_mul(8).saturating_add(draw % tenth.max(1));
        Self {
            version: self.version.saturating_add(u64::from(is_new)),
            next: millis(now).saturating_add(early),
            usable_until: millis(now).saturating_add(usable),
            leased_until: 0,
            failures: 0,
            ..self
        }
    }

    /// The same once it was in vain.
    #[must_use]
    pub fn failed(self, source: &Source, now: Now, draw: u64) -> Self {
        let doublings = u32::try_from(self.failures).unwrap_or(u32::MAX);
        let pause = FIRST_PAUSE.saturating_mul(1_u32.checked_shl(doublings).unwrap_or(u32::MAX));
        let pause = duration(pause.min(LAST_PAUSE).min(source.interval(None)));
        // A quarter more or less.
        let pause = (pause / 4).saturating_mul(3).saturating_add(draw % (pause / 2).max(1));
        Self {
            next: millis(now).saturating_add(pause),
            leased_until: 0,
            failures: self.failures.saturating_add(1),
            ..self
        }
    }
}

fn millis(now: Now) -> u64 {
    duration(now.0)
}

fn duration(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::source::Location;
    use super::super::uri::Uri;
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn source() -> Source {
        Source {
            location: Location::Keys(Uri::parse("https://a").unwrap()),
            timeout: Duration::from_secs(5),
            refresh: Some(Duration::from_secs(100)),
            max_stale: Duration::from_secs(1000),
        }
    }

    fn at(seconds: u64) -> Now {
        Now(Duration::from_secs(1_000_000 + seconds))
    }

    #[test]
    fn what_one_thread_writes_the_next_reads() {
        let record = Record { version: 1, next: 2, usable_until: 3, asked: 4, leased_until: 5, failures: 6 };
        assert_eq!(Record::decode(&record.encode()), record);
        assert_eq!(Record::decode(&[]), Record::default());
        assert_eq!(Record::decode(&record.encode()[1..]), Record::default());
    }

    #[test]
    fn one_asks_at_a_time_and_is_not_waited_for_for_ever() {
        let start = Record::default();
        assert!(start.is_due(at(0)) && start.is_promising() && !start.is_usable(at(0)));
        let leased = start.leased(&source(), at(0));
        assert!(leased.is_leased(at(10)) && !leased.is_due(at(10)));
        assert!(!leased.is_leased(at(11)) && leased.is_due(at(11)));
    }

    #[test]
    fn keys_are_asked_for_before_they_are_old_and_used_for_a_time_beyond_that() {
        for (draw, early) in [(0, 80), (9_999, 89), (10_000, 80), (u64::MAX, 81)] {
            let found = Record::default().leased(&source(), at(0)).found(&source(), at(0), None, true, draw);
            assert_eq!((found.version, found.is_leased(at(0))), (1, false));
            assert!(!found.is_due(at(early - 1)) && found.is_due(at(early + 1)), "{draw} {}", found.next);
            assert!(found.is_usable(at(1099)) && !found.is_usable(at(1100)));
        }
        let found = Record::default().found(&source(), at(0), None, true, 0);
        assert_eq!(found.found(&source(), at(80), None, false, 0).version, 1);
        assert_eq!(found.found(&source(), at(80), None, true, 0).version, 2);
    }

    #[test]
    fn pauses_grow_to_a_bound() {
        let mut record = Record::default();
        let mut pauses = Vec::new();
        for _ in 0..12 {
            assert!(record.is_promising() == (record.failures < 3));
            record = record.failed(&source(), at(0), 0);
            pauses.push(record.next - at(0).0.as_millis() as u64);
        }
        assert_eq!(pauses[..5], [375, 750, 1500, 3000, 6000]);
        assert_eq!(pauses[11], 45_000);
        let latest = Record::default().failed(&source(), at(0), 249).next - at(0).0.as_millis() as u64;
        assert_eq!(latest, 375 + 249);
    }

    #[test]
    fn an_outage_leaves_the_keys_alone() {
        let found = Record::default().found(&source(), at(0), None, true, 0);
        let failed = found.failed(&source(), at(80), 0);
        assert!(failed.is_usable(at(1099)) && !failed.is_usable(at(1100)) && failed.failures == 1);
    }

    #[test]
    fn missing_keys_are_asked_for_once_in_a_while() {
        let leased = Record::default().leased(&source(), at(0));
        assert!(!leased.may_ask_again(&source(), at(1)));
        let found = leased.found(&source(), at(1), None, true, 0);
        assert!(!found.may_ask_again(&source(), at(9)) && found.may_ask_again(&source(), at(10)));
    }
}
