//! Where files are that only live as long as the command.

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tempfile::TempDir;

/// A temporary folder for what nobody else may see, such as keys. It goes when this does.
#[derive(Debug)]
pub(crate) struct PrivateFolder {
    folder: TempDir,
    /// What cleans up temporary folders takes away what is old, and Envoy may run for months: systemd-tmpfiles spares a
    /// folder that somebody has locked.
    _lock: Option<File>,
}

impl PrivateFolder {
    /// Makes one.
    ///
    /// # Errors
    /// It can't be made.
    pub(crate) fn create() -> io::Result<Self> {
        let builder = &mut tempfile::Builder::new();
        let folder = builder.prefix("outrigger-").permissions(Permissions::from_mode(0o700)).tempdir()?;
        // Some file systems know no locks.
        let lock = File::open(folder.path()).and_then(|open| open.lock_shared().map(|()| open));
        Ok(Self { folder, _lock: lock.ok() })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

#[cfg(test)]
mod tests {
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
}
