//! Which files are there, as far as can be told without reading them.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use walkdir::WalkDir;

use super::Origin;

/// The files behind some paths, with links followed: it differs when one has changed, or another is in its place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Fingerprint(BTreeMap<PathBuf, Mark>);

/// What tells one state of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    device: u64,
    inode: u64,
    length: u64,
    written: (i64, i64),
    /// Changes too when the time of the last write is set back, or permissions are given.
    changed: (i64, i64),
}

impl Fingerprint {
    /// That of `origins`: files, and folders with what counts of them. What can't be read counts as not there.
    pub(super) fn of<'o>(origins: impl IntoIterator<Item = &'o Origin>) -> Self {
        Self(origins.into_iter().flat_map(marks).collect())
    }

    /// Takes what `other` has of paths that are not in here.
    pub(super) fn add(&mut self, other: Self) {
        for (path, mark) in other.0 {
            self.0.entry(path).or_insert(mark);
        }
    }
}

fn marks(origin: &Origin) -> impl Iterator<Item = (PathBuf, Mark)> {
    let walk = WalkDir::new(&origin.path).follow_links(true).into_iter();
    let entries = walk.filter_entry(|entry| entry.depth() == 0 || !passed_over(entry.file_name()));
    let files = entries.filter_map(Result::ok).filter(|entry| {
        entry.file_type().is_file() && (entry.depth() == 0 || origin.holds.may_be(entry.path()))
    });
    files.filter_map(|entry| {
        let mark = Mark::of(&entry.metadata().ok()?);
        Some((entry.into_path(), mark))
    })
}

/// Hidden files, and those of editors: nobody reads them.
fn passed_over(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(b".") || is_editors(name)
}

/// What an editor keeps beside the file that is edited.
pub(super) fn is_editors(name: &[u8]) -> bool {
    name.ends_with(b"~") || name.ends_with(b".swp")
}

impl Mark {
    fn of(file: &Metadata) -> Self {
        Self {
            device: file.dev(),
            inode: file.ino(),
            length: file.len(),
            written: (file.mtime(), file.mtime_nsec()),
            changed: (file.ctime(), file.ctime_nsec()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn nothing_differs_while_nothing_changes_that_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let paths = [folder.path().to_owned(), folder.path().join("missing")].map(Origin::of_resources);
        fs::write(folder.path().join("a.yaml"), "1").unwrap();
        let before = Fingerprint::of(&paths);
        fs::write(folder.path().join(".a.yaml.swp"), "1").unwrap();
        fs::write(folder.path().join("a.yaml~"), "1").unwrap();
        fs::write(folder.path().join("our.log"), "1").unwrap();
        fs::read(folder.path().join("a.yaml")).unwrap();
        assert_eq!(Fingerprint::of(&paths), before);
        fs::write(folder.path().join("a.yaml"), "22").unwrap();
        assert_ne!(Fingerprint::of(&paths), before);
    }

    #[test]
    fn links_that_lead_in_a_circle_end() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.yaml"), "1").unwrap();
        std::os::unix::fs::symlink(".", folder.path().join("again")).unwrap();
        assert_eq!(Fingerprint::of(&[Origin::anything(folder.path().to_owned())]).0.len(), 1);
    }
}
