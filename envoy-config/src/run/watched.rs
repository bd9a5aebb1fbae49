//! Files whose changes are events.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};

use super::Origin;
use super::events::Event;
use super::fingerprint::{Fingerprint, is_editors};
use super::origin::Holds;
use super::writers::Writers;

/// How often the files are looked at: the kernel tells of most changes at once, but not of those behind a link, in a
/// folder that is put in the place of another, or on another machine's disk.
const LOOK: Duration = Duration::from_secs(2);
/// Looking at very many files takes no more than this part of the time.
const SHARE: u32 = 20;

/// Files and folders whose changes are events, as long as this lives.
#[derive(Debug)]
pub(super) struct Watched {
    /// `None`: the kernel has no room for one more. Then looking has to do.
    watcher: Option<RecommendedWatcher>,
    known: Arc<Mutex<Known>>,
}

/// What was loaded.
#[derive(Debug, Default)]
struct Known {
    origins: Vec<Origin>,
    loaded: Fingerprint,
    /// How many times.
    loads: u64,
    writers: Writers,
}

/// Sends [`Event::Changed`] when something happens to `origins`, or has happened since they were `loaded`.
pub(super) fn watch(origins: Vec<Origin>, loaded: Fingerprint, events: &Sender<Event>) -> Watched {
    watch_every(LOOK, origins, loaded, events)
}

fn watch_every(
    pause: Duration,
    origins: Vec<Origin>,
    loaded: Fingerprint,
    events: &Sender<Event>,
) -> Watched {
    let known = Known { origins, loaded, loads: 0, writers: Writers::default() };
    let known = Arc::new(Mutex::new(known));
    let (told, looked_at) = (Arc::downgrade(&known), Arc::downgrade(&known));
    let (teller, looker) = (events.clone(), events.clone());
    let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if told.upgrade().is_some_and(|known| lock(&known).is_changed_by(&event)) {
            let _ = teller.send(Event::Changed);
        }
    });
    thread::spawn(move || look(&looked_at, pause, &looker));
    let mut watched = Watched { watcher: watcher.ok(), known };
    watched.watch_again();
    watched
}

impl Watched {
    /// Watches these files too, which were loaded just now.
    pub(super) fn add<'p>(&mut self, files: impl IntoIterator<Item = &'p PathBuf>) {
        let mut known = lock(&self.known);
        let files = files.into_iter().cloned().map(Origin::anything);
        let new: Vec<_> = files.filter(|file| !known.origins.contains(file)).collect();
        if new.is_empty() {
            return;
        }
        known.loaded.add(Fingerprint::of(&new));
        known.origins.extend(new);
        drop(known);
        self.watch_again();
    }

    /// A file that somebody has not written to its end yet, which will be a change of its own, and until when to wait for it.
    pub(super) fn open(&self) -> Option<(PathBuf, Instant)> {
        lock(&self.known).writers.open()
    }

    /// To be called before everything is loaded: a change counts from here on.
    pub(super) fn loading(&mut self) {
        self.watch_again();
        let mut known = lock(&self.known);
        known.loaded = Fingerprint::of(&known.origins);
        known.loads += 1;
    }

    /// The kernel watches what was behind a path when it was asked, which may be elsewhere by now. What it can't watch is
    /// looked at all the same.
    fn watch_again(&mut self) {
        let places = places(&lock(&self.known).origins);
        let Some(watcher) = &mut self.watcher else { return };
        for (path, mode) in places {
            let _ = watcher.unwatch(&path);
            let _ = watcher.watch(&path, mode);
        }
        // Nobody may have told when they were closed.
        lock(&self.known).writers.forget();
    }
}

impl Known {
    fn is_changed_by(&mut self, event: &notify::Result<notify::Event>) -> bool {
        match event {
            Ok(event) => {
                event.paths.iter().any(|path| concerns(path, &self.origins)) && self.writers.see(event)
            }
            // Events were lost.
            Err(_) => {
                self.writers.forget();
                true
            }
        }
    }
}

/// Where changes of `origins` are seen. A file is watched through its folder, since editors put a new file in the place of
/// the old one.
fn places(origins: &[Origin]) -> BTreeMap<PathBuf, RecursiveMode> {
    let paths = origins.iter().map(|origin| &origin.path);
    let (folders, files): (Vec<&PathBuf>, Vec<&PathBuf>) = paths.partition(|path| path.is_dir());
    let parent = |file: &PathBuf| match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    let of_files = files.into_iter().map(|file| (parent(file), RecursiveMode::NonRecursive));
    of_files.chain(folders.into_iter().map(|folder| (folder.clone(), RecursiveMode::Recursive))).collect()
}

/// Compares what is there with what was loaded, until nobody wants to know any more.
fn look(known: &Weak<Mutex<Known>>, pause: Duration, events: &Sender<Event>) {
    let (mut wait, mut told) = (pause, None);
    loop {
        thread::sleep(wait);
        let Some(known) = known.upgrade() else { return };
        let (origins, loads) = {
            let known = lock(&known);
            (known.origins.clone(), known.loads)
        };
        let start = Instant::now();
        let now = Fingerprint::of(&origins);
        wait = pause.max(start.elapsed() * SHARE);
        let known = lock(&known);
        // What was loaded or added meanwhile is compared the next time.
        if known.loads != loads || known.origins != origins || known.loaded == now {
            continue;
        }
        let difference = Some((loads, now));
        if told != difference {
            told = difference;
            if events.send(Event::Changed).is_err() {
                return;
            }
        }
    }
}

fn lock(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether what happened to `path` may have changed one of the `watched`: it is one, is inside one, or is the `..data`
/// that a mounted ConfigMap is switched by.
fn concerns(path: &Path, origins: &[Origin]) -> bool {
    let name = path.file_name();
    name.is_some_and(|name| name.as_encoded_bytes().starts_with(b".."))
        || origins.iter().any(|origin| {
            if origin.path.is_dir() {
                may_be_read(path, origin.holds) && is_below(path, &origin.path)
            } else {
                name.is_some() && name == origin.path.file_name()
            }
        })
}

/// Whether it is, or was, a file that is read, or a folder; an editor's own files are none.
fn may_be_read(path: &Path, holds: Holds) -> bool {
    !path.file_name().is_some_and(|name| is_editors(name.as_encoded_bytes()))
        && (holds.may_be(path) || !path.is_file())
}

/// By the whole path, which the kernel tells as it was asked or, elsewhere, without links.
fn is_below(path: &Path, folder: &Path) -> bool {
    let below = |folder: io::Result<PathBuf>| folder.is_ok_and(|folder| path.starts_with(folder));
    below(std::path::absolute(folder)) || below(folder.canonicalize())
}

#[cfg(test)]
mod tests;
