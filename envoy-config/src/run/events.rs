//! What `run` waits for: signals, changed files, and what Envoy says.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
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

/// Files and folders whose changes are events, as long as this lives.
#[derive(Debug)]
pub(super) struct Watched {
    watcher: RecommendedWatcher,
    paths: Arc<Mutex<Vec<PathBuf>>>,
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

/// Sends [`Event::Changed`] when something happens to `paths`. A file is watched through its folder, since editors
/// put a new file in the place of the old one.
pub(super) fn watch(paths: &[PathBuf], events: Sender<Event>) -> notify::Result<Watched> {
    let all = Arc::new(Mutex::new(Vec::new()));
    let watched = Arc::clone(&all);
    let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let relevant = match &event {
            Ok(event) => {
                !matches!(event.kind, EventKind::Access(_))
                    && watched.lock().is_ok_and(|watched: MutexGuard<'_, Vec<PathBuf>>| {
                        event.paths.iter().any(|path| concerns(path, &watched))
                    })
            }
            // Events were lost.
            Err(_) => true,
        };
        if relevant {
            let _ = events.send(Event::Changed);
        }
    })?;
    let mut watched = Watched { watcher, paths: all };
    watched.add(paths)?;
    Ok(watched)
}

impl Watched {
    /// Watches these too.
    pub(super) fn add<'p>(&mut self, paths: impl IntoIterator<Item = &'p PathBuf>) -> notify::Result<()> {
        for path in paths {
            if self.paths.lock().is_ok_and(|paths| paths.contains(path)) {
                continue;
            }
            if let Ok(mut paths) = self.paths.lock() {
                paths.push(path.clone());
            }
            if path.is_dir() {
                self.watcher.watch(path, RecursiveMode::Recursive)?;
            } else {
                let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
                self.watcher.watch(folder.unwrap_or(Path::new(".")), RecursiveMode::NonRecursive)?;
            }
        }
        Ok(())
    }
}

/// Whether what happened to `path` may have changed one of the `watched`: it is one, is inside one, or is the `..data`
/// that a mounted ConfigMap is switched by.
fn concerns(path: &Path, watched: &[PathBuf]) -> bool {
    let name = path.file_name();
    name.is_some_and(|name| name.as_encoded_bytes().starts_with(b".."))
        || watched.iter().any(|watched| {
            if watched.is_dir() {
                is_below(path, watched)
            } else {
                name.is_some() && name == watched.file_name()
            }
        })
}

/// By the whole path, or, where links lead elsewhere, unless it is an editor's own file.
fn is_below(path: &Path, folder: &Path) -> bool {
    let editors =
        |name: &OsStr| name.as_encoded_bytes().ends_with(b"~") || name.as_encoded_bytes().ends_with(b".swp");
    !path.file_name().is_some_and(editors)
        && (path.starts_with(folder) || folder.is_relative() || folder.is_symlink())
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
    use std::fs;
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn each_way_of_saving_a_file_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let (file, other) = (folder.path().join("a.yaml"), folder.path().join("other.yaml"));
        fs::write(&file, "1").unwrap();
        let (sender, events) = mpsc::channel();
        let _watcher = watch(std::slice::from_ref(&file), sender).unwrap();
        let noticed = || {
            let came = events.recv_timeout(Duration::from_secs(2)) == Ok(Event::Changed);
            settle(&events, &mut VecDeque::new());
            came
        };
        fs::write(&file, "2").unwrap();
        assert!(noticed(), "written in place");
        fs::write(folder.path().join("a.yaml.new"), "3").unwrap();
        fs::rename(folder.path().join("a.yaml.new"), &file).unwrap();
        assert!(noticed(), "replaced");
        fs::write(&file, "4").unwrap();
        assert!(noticed(), "written after it was replaced");
        fs::write(other, "5").unwrap();
        assert!(events.recv_timeout(Duration::from_millis(300)).is_err(), "another file in its folder");
    }

    #[test]
    fn files_that_come_and_go_in_a_folder_are_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let (sender, events) = mpsc::channel();
        let _watcher = watch(&[folder.path().to_owned()], sender).unwrap();
        let file = folder.path().join("new.yaml");
        fs::write(&file, "1").unwrap();
        assert_eq!(events.recv_timeout(Duration::from_secs(2)), Ok(Event::Changed));
        settle(&events, &mut VecDeque::new());
        fs::remove_file(file).unwrap();
        assert_eq!(events.recv_timeout(Duration::from_secs(2)), Ok(Event::Changed));
    }

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
