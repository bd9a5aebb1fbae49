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
///
/// It says what has happened, not what follows: rules with the same address share it, now and after a change of the
/// configuration, and each draws its own conclusions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Record {
    /// Counts the key sets that have been found; 0: none.
    pub version: u64,
    /// When the keys were found last.
    pub found: u64,
    /// For how many milliseconds they are new, as their server said then; [`NOTHING_SAID`] if it did not.
    pub max_age: u64,
    /// Any number, drawn then.
    pub draw: u64,
    /// When somebody asked last.
    pub asked: u64,
    /// Until then somebody is asking, and nobody else does.
    pub leased_until: u64,
    /// How often in a row it was in vain.
    pub failures: u64,
    /// If it was: when to try again.
    pub retry: u64,
}

const FIELDS: usize = 8;

const NOTHING_SAID: u64 = u64::MAX;

impl Record {
    /// As bytes, for the shared data of a proxy.
    pub fn encode(&self) -> [u8; FIELDS * 8] {
        let numbers: [u64; FIELDS] = [
            self.version,
            self.found,
            self.max_age,
            self.draw,
            self.asked,
            self.leased_until,
            self.failures,
            self.retry,
        ];
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
            [version, found, max_age, draw, asked, leased_until, failures, retry] if rest.is_empty() => {
                let number = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
                Self {
                    version: number(version),
                    found: number(found),
                    max_age: number(max_age),
                    draw: number(draw),
                    asked: number(asked),
                    leased_until: number(leased_until),
                    failures: number(failures),
                    retry: number(retry),
                }
            }
            _ => Self::default(),
        }
    }

    /// How long the keys are new for `source`, in milliseconds.
    fn interval(&self, source: &Source) -> u64 {
        let said = (self.max_age != NOTHING_SAID).then(|| Duration::from_millis(self.max_age));
        duration(source.interval(said))
    }

    /// When to ask next for `source`.
    fn next(&self, source: &Source) -> u64 {
        if self.failures != 0 {
            return self.retry;
        }
        if self.version == 0 {
            return 0;
        }
        // Between 80 and 90 % of the interval: before the keys are no longer new.
        let tenth = self.interval(source) / 10;
        let early = tenth.saturating_mul(8).saturating_add(self.draw % tenth.max(1));
        self.found.saturating_add(early)
    }

    /// Whether somebody should ask for `source`.
    pub fn is_due(&self, source: &Source, now: Now) -> bool {
        !self.is_leased(now) && self.next(source) <= millis(now)
    }

    /// Whether somebody is asking.
    pub fn is_leased(&self, now: Now) -> bool {
        self.leased_until > millis(now)
    }

    /// Whether the server may be asked for a key that a token names and the set has not.
    pub fn may_ask_again(&self, source: &Source, now: Now) -> bool {
        !self.is_leased(now) && self.asked.saturating_add(duration(source.debounce())) <= millis(now)
    }

    /// Whether the keys may be used for `source`.
    pub fn is_usable(&self, source: &Source, now: Now) -> bool {
        let usable = self.interval(source).saturating_add(duration(source.max_stale));
        self.version != 0 && millis(now) < self.found.saturating_add(usable)
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

    /// The same for a configuration that begins now; `None` if that changes nothing. Who took a lease before may be gone with the
    /// configuration before, and the answer with him.
    #[must_use]
    pub fn taken_over(self, now: Now) -> Option<Self> {
        let is_old = self.asked.saturating_add(duration(GRACE)) < millis(now);
        (is_old && self.is_leased(now)).then_some(Self { leased_until: 0, ..self })
    }

    /// The same once keys were found: new ones, or those that are known. `draw` is any number, so that not all proxies
    /// ask at once.
    #[must_use]
    pub fn found(self, now: Now, max_age: Option<Duration>, is_new: bool, draw: u64) -> Self {
        Self {
            version: self.version.saturating_add(u64::from(is_new)),
            found: millis(now),
            max_age: max_age.map_or(NOTHING_SAID, duration),
            draw,
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
            retry: millis(now).saturating_add(pause),
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
        let record = Record {
            version: 1,
            found: 2,
            max_age: 3,
            draw: 4,
            asked: 5,
            leased_until: 6,
            failures: 7,
            retry: 8,
        };
        assert_eq!(Record::decode(&record.encode()), record);
        assert_eq!(Record::decode(&[]), Record::default());
        assert_eq!(Record::decode(&record.encode()[1..]), Record::default());
    }

    #[test]
    fn one_asks_at_a_time_and_is_not_waited_for_for_ever() {
        let start = Record::default();
        assert!(start.is_due(&source(), at(0)) && start.is_promising() && !start.is_usable(&source(), at(0)));
        let leased = start.leased(&source(), at(0));
        assert!(leased.is_leased(at(10)) && !leased.is_due(&source(), at(10)));
        assert!(!leased.is_leased(at(11)) && leased.is_due(&source(), at(11)));
    }

    #[test]
    fn a_new_configuration_does_not_wait_for_one_that_is_gone() {
        let leased = Record::default().leased(&source(), at(0));
        assert_eq!(leased.taken_over(at(1)), None);
        let taken_over = leased.taken_over(at(2)).unwrap();
        assert!(taken_over.is_due(&source(), at(2)));
        assert_eq!(taken_over.taken_over(at(2)), None);
    }

    #[test]
    fn keys_are_asked_for_before_they_are_old_and_used_for_a_time_beyond_that() {
        for (draw, early) in [(0, 80), (9_999, 89), (10_000, 80), (u64::MAX, 81)] {
            let found = Record::default().leased(&source(), at(0)).found(at(0), None, true, draw);
            assert_eq!((found.version, found.is_leased(at(0))), (1, false));
            let due = |seconds| found.is_due(&source(), at(seconds));
            assert!(!due(early - 1) && due(early + 1), "{draw} {}", found.next(&source()));
            assert!(found.is_usable(&source(), at(1099)) && !found.is_usable(&source(), at(1100)));
        }
        let found = Record::default().found(at(0), None, true, 0);
        assert_eq!(found.found(at(80), None, false, 0).version, 1);
        assert_eq!(found.found(at(80), None, true, 0).version, 2);
    }

    #[test]
    fn each_rule_goes_by_its_own_intervals() {
        let seconds = Duration::from_secs;
        let hasty = Source { refresh: Some(seconds(10)), max_stale: seconds(5), ..source() };
        let as_told = Source { refresh: None, ..source() };
        let found = Record::default().found(at(0), Some(seconds(500)), true, 0);
        for (source, due, unusable) in [(source(), 80, 1100), (hasty, 8, 15), (as_told, 400, 1500)] {
            assert!(!found.is_due(&source, at(due - 1)) && found.is_due(&source, at(due)), "{due}");
            assert!(found.is_usable(&source, at(unusable - 1)) && !found.is_usable(&source, at(unusable)));
        }
    }

    #[test]
    fn pauses_grow_to_a_bound() {
        let mut record = Record::default();
        let mut pauses = Vec::new();
        for _ in 0..12 {
            assert!(record.is_promising() == (record.failures < 3));
            record = record.failed(&source(), at(0), 0);
            pauses.push(record.next(&source()) - at(0).0.as_millis() as u64);
        }
        assert_eq!(pauses[..5], [375, 750, 1500, 3000, 6000]);
        assert_eq!(pauses[11], 45_000);
        let latest = Record::default().failed(&source(), at(0), 249).retry - at(0).0.as_millis() as u64;
        assert_eq!(latest, 375 + 249);
    }

    #[test]
    fn an_outage_leaves_the_keys_alone() {
        let found = Record::default().found(at(0), None, true, 0);
        let failed = found.failed(&source(), at(80), 0);
        assert!(
            failed.is_usable(&source(), at(1099))
                && !failed.is_usable(&source(), at(1100))
                && failed.failures == 1
        );
    }

    #[test]
    fn missing_keys_are_asked_for_once_in_a_while() {
        let leased = Record::default().leased(&source(), at(0));
        assert!(!leased.may_ask_again(&source(), at(1)));
        let found = leased.found(at(1), None, true, 0);
        assert!(!found.may_ask_again(&source(), at(9)) && found.may_ask_again(&source(), at(10)));
    }
}
