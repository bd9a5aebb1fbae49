//! Working memory for searches.

use std::sync::{Mutex, PoisonError};

/// Working memory that outlives a search: what one search has learnt helps the next.
#[derive(Debug)]
pub(super) struct Caches<T>(Mutex<Vec<T>>);

impl<T> Default for Caches<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Caches<T> {
    /// Lends out one that no other search uses, made by `create` if there is none.
    pub(super) fn lend<R>(&self, create: impl FnOnce() -> T, search: impl FnOnce(&mut T) -> R) -> R {
        let idle = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut cache = idle.unwrap_or_else(create);
        let found = search(&mut cache);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(cache);
        found
    }
}
