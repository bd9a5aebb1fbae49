//! Reads images from a layout.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use super::{INDEX, LayoutError, NAME, blob_path, is_archive};
use crate::image::model::{self, Descriptor, Index};
use crate::image::source::{MAX_BLOB, Root, Source, SourceError, verified};

/// An index has one entry an image.
const MAX_INDEX: u64 = 4 * 1024 * 1024;

/// A layout that is there.
#[derive(Debug)]
pub struct Stored {
    path: PathBuf,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Folder,
    /// Where in the archive each file begins, and its size.
    Archive(BTreeMap<PathBuf, (u64, u64)>),
}

/// An image of a layout.
#[derive(Debug)]
pub struct Entry {
    /// What it is called there.
    pub name: String,
    /// Its manifest or index, or what is wrong with it.
    pub root: Result<Root, SourceError>,
}

impl Stored {
    /// Opens a folder, or an archive that ends in `.tar`.
    ///
    /// # Errors
    /// It can't be read.
    pub fn open(path: &Path) -> Result<Self, LayoutError> {
        let place = if is_archive(path) {
            let failed = |source| LayoutError::Read { path: path.to_owned(), source };
            Place::Archive(contents(path).map_err(failed)?)
        } else {
            Place::Folder
        };
        Ok(Self { path: path.to_owned(), place })
    }

    /// The names of its images.
    ///
    /// # Errors
    /// It has no index, or none that can be read.
    pub fn index(&self) -> Result<Index, LayoutError> {
        let not_layout = |why: String| LayoutError::NotLayout { path: self.path.clone(), why };
        let bytes = self.read(INDEX, MAX_INDEX)?.ok_or_else(|| not_layout(format!("it has no `{INDEX}`")))?;
        model::read(&bytes).map_err(|error| not_layout(format!("`{INDEX}`: {error}")))
    }

    /// The image of this name, or each image.
    ///
    /// # Errors
    /// There is none of this name, or the layout can't be read.
    pub fn roots(&self, name: Option<&str>) -> Result<Vec<Entry>, LayoutError> {
        let entries = self.index()?.manifests;
        let name_of = |entry: &Descriptor| {
            entry.annotations.get(NAME).cloned().unwrap_or_else(|| entry.digest.to_string())
        };
        let wanted = |entry: &&Descriptor| name.is_none_or(|name| name_of(entry) == name);
        let roots: Vec<_> = entries
            .iter()
            .filter(wanted)
            .map(|entry| {
                let root = self.manifest(entry).map(|bytes| Root {
                    name: name_of(entry),
                    by_digest: false,
                    media_type: entry.media_type.clone(),
                    bytes,
                });
                Entry { name: name_of(entry), root }
            })
            .collect();
        if roots.is_empty() {
            let has: Vec<_> = entries.iter().map(name_of).collect();
            return Err(LayoutError::NoSuchName {
                path: self.path.clone(),
                name: name.unwrap_or_default().to_owned(),
                has: if has.is_empty() { "none".to_owned() } else { has.join(", ") },
            });
        }
        Ok(roots)
    }

    /// The bytes of a file, if it is there.
    fn read(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, LayoutError> {
        let path = self.path.join(name);
        let read = || match &self.place {
            Place::Folder => match File::open(&path) {
                Ok(file) => read_some(file, limit).map(Some),
                Err(error) if error.kind() == io::ErrorKind::NotFound && self.path.is_dir() => Ok(None),
                Err(error) => Err(error),
            },
            Place::Archive(files) => {
                let Some((start, size)) = files.get(Path::new(name)) else { return Ok(None) };
                let mut file = File::open(&self.path)?;
                file.seek(SeekFrom::Start(*start))?;
                read_some(file.take(*size), limit).map(Some)
            }
        };
        read().map_err(|source| LayoutError::Read { path: path.clone(), source })
    }
}

fn read_some(file: impl io::Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if file.take(limit.saturating_add(1)).read_to_end(&mut bytes)? as u64 > limit {
        return Err(io::Error::other(format!("it is larger than {limit} bytes")));
    }
    Ok(bytes)
}

fn contents(archive: &Path) -> io::Result<BTreeMap<PathBuf, (u64, u64)>> {
    let mut files = BTreeMap::new();
    let mut archive = tar::Archive::new(File::open(archive)?);
    for entry in archive.entries_with_seek()? {
        let entry = entry?;
        let path = entry.path()?;
        let path = path.strip_prefix(".").unwrap_or(&path).to_owned();
        files.insert(path, (entry.raw_file_position(), entry.size()));
    }
    Ok(files)
}

impl Source for Stored {
    fn manifest(&self, descriptor: &Descriptor) -> Result<Vec<u8>, SourceError> {
        self.blob(descriptor)
    }

    fn blob(&self, descriptor: &Descriptor) -> Result<Vec<u8>, SourceError> {
        if descriptor.size > MAX_BLOB {
            return Err(SourceError::TooLarge(descriptor.digest.clone(), descriptor.size));
        }
        let bytes = self.read(&blob_path(&descriptor.digest), MAX_BLOB)?;
        verified(descriptor, bytes.ok_or_else(|| SourceError::Missing(descriptor.digest.clone()))?)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::{Named, write};
    use super::*;
    use crate::image::builder::{Facts, Image};
    use crate::image::variant::Variant;
    use crate::modules::Module;

    #[test]
    fn a_blob_is_what_its_name_says_or_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let image =
            Image::build(Module::Suite, b"\0asm\x01\0\0\0", Variant::Artifact, &Facts::default()).unwrap();
        write(&[Named { name: "a".to_owned(), image: &image }], folder.path()).unwrap();
        let stored = Stored::open(folder.path()).unwrap();
        let (digest, bytes) = &image.blobs[2];
        let descriptor = Descriptor::of("any", bytes);
        assert_eq!(&stored.blob(&descriptor).unwrap(), bytes);
        let path = folder.path().join(blob_path(digest));
        fs::write(&path, b"\0asm\x01\0\0\x01").unwrap();
        assert!(matches!(stored.blob(&descriptor), Err(SourceError::Digest { .. })));
        fs::remove_file(&path).unwrap();
        assert!(matches!(stored.blob(&descriptor), Err(SourceError::Missing(_))));
        let large = Descriptor { size: MAX_BLOB + 1, ..descriptor };
        assert!(matches!(stored.blob(&large), Err(SourceError::TooLarge(..))));
    }

    #[test]
    fn names_that_are_not_there_are_answered_with_those_that_are() {
        let folder = tempfile::tempdir().unwrap();
        let image = Image::build(Module::Suite, b"\0asm\x01\0\0\0", Variant::Oci, &Facts::default()).unwrap();
        write(&[Named { name: "a:1".to_owned(), image: &image }], folder.path()).unwrap();
        let stored = Stored::open(folder.path()).unwrap();
        assert_eq!(stored.roots(None).unwrap().len(), 1);
        assert_eq!(stored.roots(Some("a:1")).unwrap()[0].root.as_ref().unwrap().bytes, image.manifest);
        let error = stored.roots(Some("b")).unwrap_err().to_string();
        assert!(error.contains("no image `b`") && error.contains("it has a:1"), "{error}");
    }

    #[test]
    fn what_is_no_layout_is_said_to_be_none() {
        let folder = tempfile::tempdir().unwrap();
        let error = Stored::open(folder.path()).unwrap().index().unwrap_err();
        assert!(matches!(error, LayoutError::NotLayout { .. }), "{error}");
        fs::write(folder.path().join(INDEX), "[]").unwrap();
        let error = Stored::open(folder.path()).unwrap().index().unwrap_err();
        assert!(matches!(error, LayoutError::NotLayout { .. }), "{error}");
        let error = Stored::open(&folder.path().join("none")).unwrap().index().unwrap_err();
        assert!(matches!(error, LayoutError::Read { .. }), "{error}");
    }
}
