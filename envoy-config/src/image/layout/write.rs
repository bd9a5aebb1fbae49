//! Writes images into a layout.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use super::{INDEX, LayoutError, MARK, MARK_TEXT, NAME, Stored, blob_path, is_archive};
use crate::image::builder::Image;
use crate::image::media_type::OCI_INDEX;
use crate::image::model::{Descriptor, Index};

/// An image and what it is to be called.
#[derive(Debug)]
pub struct Named<'i> {
    /// Such as `outrigger:0.1.0`.
    pub name: String,
    /// The image.
    pub image: &'i Image,
}

/// Writes `images` to `to`: an archive if it ends in `.tar`, else a folder. A folder that is a layout already keeps its
/// other images; an archive is replaced.
///
/// # Errors
/// The folder holds other files, or something can't be written.
pub fn write(images: &[Named<'_>], to: &Path) -> Result<(), LayoutError> {
    let failed = |source| LayoutError::Write { path: to.to_owned(), source };
    let (kept, archive) = if is_archive(to) { (Vec::new(), true) } else { (kept(to)?, false) };
    let files = files(images, kept).map_err(failed)?;
    if archive {
        return write_archive(&files, to).map_err(failed);
    }
    for (name, bytes) in &files {
        let path = to.join(name);
        let failed = |source| LayoutError::Write { path: path.clone(), source };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        fs::write(&path, bytes).map_err(failed)?;
    }
    Ok(())
}

/// The images that a folder has already.
fn kept(folder: &Path) -> Result<Vec<Descriptor>, LayoutError> {
    let mut entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(LayoutError::Write { path: folder.to_owned(), source }),
    };
    if entries.next().is_none() {
        return Ok(Vec::new());
    }
    if !folder.join(MARK).is_file() {
        return Err(LayoutError::Occupied(folder.to_owned()));
    }
    Ok(Stored::open(folder)?.index()?.manifests)
}

/// Every file of the layout by its path, in the order in which it is written: the index comes after what it names.
fn files(images: &[Named<'_>], kept: Vec<Descriptor>) -> io::Result<Vec<(String, Vec<u8>)>> {
    let names: BTreeSet<_> = images.iter().map(|named| named.name.as_str()).collect();
    let is_new =
        |entry: &Descriptor| entry.annotations.get(NAME).is_some_and(|name| names.contains(name.as_str()));
    let mut manifests: Vec<_> = kept.into_iter().filter(|entry| !is_new(entry)).collect();
    let mut blobs = BTreeMap::new();
    for Named { name, image } in images {
        let mut entry = Descriptor::of(image.media_type, &image.manifest);
        entry.annotations.insert(NAME.to_owned(), name.clone());
        manifests.push(entry);
        blobs.insert(blob_path(&image.digest()), image.manifest.clone());
        blobs.extend(image.blobs.iter().map(|(digest, bytes)| (blob_path(digest), bytes.clone())));
    }
    let index = Index {
        schema_version: 2,
        media_type: Some(OCI_INDEX.to_owned()),
        manifests,
        annotations: BTreeMap::new(),
    };
    let mut files: Vec<_> = blobs.into_iter().collect();
    files.push((INDEX.to_owned(), serde_json::to_vec_pretty(&index)?));
    files.push((MARK.to_owned(), MARK_TEXT.as_bytes().to_vec()));
    Ok(files)
}

fn write_archive(files: &[(String, Vec<u8>)], to: &Path) -> io::Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut archive = tar::Builder::new(BufWriter::new(File::create(to)?));
    for (name, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        archive.append_data(&mut header, name, bytes.as_slice())?;
    }
    archive.into_inner()?.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::builder::Facts;
    use crate::image::variant::Variant;
    use crate::modules::Module;

    fn image(module: Module, wasm: &[u8]) -> Image {
        Image::build(module, wasm, Variant::Oci, &Facts::default()).unwrap()
    }

    fn named<'i>(name: &str, image: &'i Image) -> Named<'i> {
        Named { name: name.to_owned(), image }
    }

    fn names(path: &Path) -> Vec<String> {
        let index = Stored::open(path).unwrap().index().unwrap();
        index.manifests.iter().map(|entry| entry.annotations[NAME].clone()).collect()
    }

    #[test]
    fn a_folder_and_an_archive_hold_the_same_and_no_time() {
        let folder = tempfile::tempdir().unwrap();
        let (suite, authz) = (image(Module::Suite, b"\0asm1\0\0\0"), image(Module::Authz, b"\0asm2\0\0\0"));
        let images = || [named("outrigger:1", &suite), named("outrigger-authz:1", &authz)];
        for to in ["dir", "a.tar", "b.tar"] {
            write(&images(), &folder.path().join(to)).unwrap();
        }
        let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
        assert_eq!(read("a.tar"), read("b.tar"));
        assert_eq!(read("dir/oci-layout"), MARK_TEXT.as_bytes());
        let mut archive = tar::Archive::new(File::open(folder.path().join("a.tar")).unwrap());
        let mut seen = 0;
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            assert_eq!(entry.header().mtime().unwrap(), 0);
            let name = entry.path().unwrap().to_str().unwrap().to_owned();
            let mut bytes = Vec::new();
            io::copy(&mut entry, &mut bytes).unwrap();
            assert_eq!(bytes, read(&format!("dir/{name}")), "{name}");
            seen += 1;
        }
        assert_eq!(seen, 2 * 3 + 2);
        assert_eq!(names(&folder.path().join("a.tar")), ["outrigger:1", "outrigger-authz:1"]);
    }

    #[test]
    fn a_layout_keeps_its_other_images() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (image(Module::Suite, b"\0asm1\0\0\0"), image(Module::Suite, b"\0asm2\0\0\0"));
        write(&[named("a", &old), named("b", &old)], folder.path()).unwrap();
        write(&[named("a", &new)], folder.path()).unwrap();
        assert_eq!(names(folder.path()), ["b", "a"]);
        let index = Stored::open(folder.path()).unwrap().index().unwrap();
        assert_eq!(index.manifests[1].digest, new.digest());
    }

    #[test]
    fn a_folder_with_other_files_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("letters"), "dear").unwrap();
        let image = image(Module::Suite, b"\0asm1\0\0\0");
        let error = write(&[named("a", &image)], folder.path()).unwrap_err();
        assert!(matches!(error, LayoutError::Occupied(_)), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
