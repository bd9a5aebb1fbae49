//! How often each key was asked for: what a retry looks like from the upstream.

use std::collections::HashMap;
use std::sync::Mutex;

/// Counts requests by a key that the caller chooses, for as long as the process lives.
#[derive(Debug, Default)]
pub(crate) struct Attempts(Mutex<HashMap<String, u64>>);

impl Attempts {
    /// Counts one more request for `key` and says which it is, starting at 1.
    pub(crate) fn record(&self, key: &str) -> u64 {
        let mut counts = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let count = counts.entry(key.to_owned()).or_default();
        *count += 1;
        *count
    }

    /// How many requests for `key` there were.
    pub(crate) fn seen(&self, key: &str) -> u64 {
        let counts = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        counts.get(key).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_each_key_by_itself() {
        let attempts = Attempts::default();
        assert_eq!(attempts.seen("a"), 0);
        assert_eq!(attempts.record("a"), 1);
        assert_eq!(attempts.record("a"), 2);
        assert_eq!(attempts.record("b"), 1);
        assert_eq!((attempts.seen("a"), attempts.seen("b")), (2, 1));
    }
}
