//! Images in a folder or a tar archive: OCI Image Layout Specification 1.0.

mod read;
mod write;

use std::io;
use std::path::{Path, PathBuf};

pub use read::{Entry, Stored};
pub use write::{Named, write};

/// The file that says that it is a layout, and its text.
const MARK: &str = "oci-layout";
const MARK_TEXT: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;
/// The file that names the images.
const INDEX: &str = "index.json";
/// By which an image in it is called.
const NAME: &str = "org.opencontainers.image.ref.name";

/// Where in a layout a blob is.
fn blob_path(digest: &super::Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

/// Whether a layout by this name is an archive.
fn is_archive(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "tar")
}

/// A layout can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// A file can't be read.
    #[error("can't read `{}`: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file can't be written.
    #[error("can't write `{}`: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is something else.
    #[error("`{}` is no OCI image layout: {why}\nhint: `outrigger image build -o DIR` makes one", path.display())]
    NotLayout {
        /// The folder or archive.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The folder has other files.
    #[error(
        "`{}` holds files and is no OCI image layout\nhint: name a folder that is empty or not there yet",
        .0.display()
    )]
    Occupied(PathBuf),
    /// There is no image of the name.
    #[error("`{}` has no image `{name}`\nhint: it has {has}", path.display())]
    NoSuchName {
        /// The layout.
        path: PathBuf,
        /// What was asked for.
        name: String,
        /// What there is.
        has: String,
    },
}
