//! Files that somebody is in the middle of writing.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use notify::EventKind;
use notify::event::{AccessKind, AccessMode, ModifyKind};

/// How long a file is waited for that was written to and not closed: then its writer keeps it open for good.
const PATIENCE: Duration = Duration::from_secs(60);

/// When each was written to last. What `helm template … > file` has written so far is no file yet: half of the policies.
#[derive(Debug, Default)]
pub(super) struct Writers(BTreeMap<PathBuf, Instant>);

impl Writers {
    /// Whether an event changes what is in a file, as a whole or so far.
    pub(super) fn see(&mut self, event: &notify::Event) -> bool {
        let paths = event.paths.iter();
        match event.kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => {
                paths.filter(|path| self.0.remove(*path).is_some()).count() > 0
            }
            EventKind::Access(_) => false,
            EventKind::Modify(ModifyKind::Data(_)) => {
                self.0.extend(paths.map(|path| (path.clone(), Instant::now())));
                true
            }
            // Gone, or another file under that name.
            EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)) => {
                paths.for_each(|path| _ = self.0.remove(path));
                true
            }
            _ => true,
        }
    }

    /// A file that is not written to its end, and how long that is waited for. `None`: all are complete.
    pub(super) fn open(&mut self) -> Option<(PathBuf, Instant)> {
        let last = self.0.iter().max_by_key(|(_, written)| **written);
        last.map(|(path, written)| (path.clone(), *written + PATIENCE))
    }

    /// Waits for none of them.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use notify::event::{CreateKind, DataChange, RemoveKind};

    use super::*;

    const CREATED: EventKind = EventKind::Create(CreateKind::File);
    const WRITTEN: EventKind = EventKind::Modify(ModifyKind::Data(DataChange::Any));
    const READ: EventKind = EventKind::Access(AccessKind::Close(AccessMode::Read));
    const CLOSED: EventKind = EventKind::Access(AccessKind::Close(AccessMode::Write));
    const REMOVED: EventKind = EventKind::Remove(RemoveKind::File);

    #[test]
    fn a_file_is_complete_when_its_writer_has_closed_it() {
        for (events, changes, open) in [
            (&[CREATED][..], &[true][..], false),
            (&[CREATED, CLOSED], &[true, false], false),
            (&[WRITTEN], &[true], true),
            (&[WRITTEN, READ, WRITTEN], &[true, false, true], true),
            (&[WRITTEN, WRITTEN, CLOSED], &[true, true, true], false),
            (&[WRITTEN, REMOVED], &[true, true], false),
        ] {
            let mut writers = Writers::default();
            let seen: Vec<_> = events
                .iter()
                .map(|kind| writers.see(&notify::Event::new(*kind).add_path("a.yaml".into())))
                .collect();
            assert_eq!(seen, changes, "{events:?}");
            assert_eq!(writers.open().is_some(), open, "{events:?}");
        }
    }

    #[test]
    fn each_writer_is_waited_for() {
        let mut writers = Writers::default();
        for (kind, path) in [(WRITTEN, "a"), (WRITTEN, "b"), (CLOSED, "a")] {
            writers.see(&notify::Event::new(kind).add_path(path.into()));
        }
        assert_eq!(writers.open().map(|(path, _)| path), Some("b".into()));
        writers.forget();
        assert_eq!(writers.open(), None);
    }
}
