//! Where files are that only live as long as the command.

use std::fs::{self, DirEntry, File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

/// What the names begin with.
const PREFIX: &str = "outrigger-";
/// A folder that is younger may belong to somebody who is about to lock it.
const ABANDONED: Duration = Duration::from_secs(60 * 60);

/// A temporary folder for what nobody else may see, such as keys. It goes when this does.
#[derive(Debug)]
pub(crate) struct PrivateFolder {
    folder: TempDir,
    /// What cleans up temporary folders takes away what is old, and Envoy may run for months: systemd-tmpfiles spares a
    /// folder that somebody has locked.
    _lock: Option<File>,
}

impl PrivateFolder {
    /// Makes one, and takes away those of processes that had no time to do so themselves, such as after SIGKILL.
    ///
    /// # Errors
    /// It can't be made.
    pub(crate) fn create() -> io::Result<Self> {
        Self::create_in(&std::env::temp_dir())
    }

    fn create_in(parent: &Path) -> io::Result<Self> {
        remove_abandoned(parent);
        let builder = &mut tempfile::Builder::new();
        let folder = builder.prefix(PREFIX).permissions(Permissions::from_mode(0o700)).tempdir_in(parent)?;
        // Some file systems know no locks.
        let lock = File::open(folder.path()).and_then(|open| open.lock_shared().map(|()| open));
        Ok(Self { folder, _lock: lock.ok() })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

fn remove_abandoned(parent: &Path) {
    let entries = fs::read_dir(parent).into_iter().flatten().filter_map(Result::ok);
    for folder in entries.filter(|entry| entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes()))
    {
        if is_abandoned(&folder).unwrap_or(false) {
            // Nothing depends on it.
            let _ = fs::remove_dir_all(folder.path());
        }
    }
}

/// Whether it is ours, old, and nobody has locked it.
fn is_abandoned(entry: &DirEntry) -> io::Result<bool> {
    if !entry.file_type()?.is_dir() {
        return Ok(false);
    }
    let folder = File::open(entry.path())?;
    let meta = folder.metadata()?;
    let ours = meta.uid() == rustix::process::geteuid().as_raw();
    Ok(ours && meta.modified()?.elapsed().is_ok_and(|age| age >= ABANDONED) && folder.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn a_private_folder_is_nobody_elses() {
        let folder = PrivateFolder::create().unwrap();
        assert_eq!(folder.path().metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn it_is_locked_while_it_is_needed() {
        let folder = PrivateFolder::create().unwrap();
        let cleaner = File::open(folder.path()).unwrap();
        assert!(cleaner.try_lock().is_err());
        drop(folder);
        assert!(cleaner.try_lock().is_ok());
    }
    #[test]
    fn what_a_killed_process_has_left_is_taken_away() {
        let parent = tempfile::tempdir().unwrap();
        let make = |name: &str, age: u64| {
            let path = parent.path().join(name);
            fs::create_dir(&path).unwrap();
            fs::write(path.join("key.pem"), "").unwrap();
            let folder = File::open(&path).unwrap();
            folder.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
            folder
        };
        make("outrigger-left", 3700);
        make("outrigger-young", 10);
        make("other", 3700);
        let used = make("outrigger-used", 3700);
        used.lock_shared().unwrap();
        let folder = PrivateFolder::create_in(parent.path()).unwrap();
        let there = |name: &str| parent.path().join(name).exists();
        assert!(!there("outrigger-left") && there("outrigger-young") && there("outrigger-used"));
        assert!(there("other") && folder.path().exists());
    }
}
