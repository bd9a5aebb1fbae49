//! Files of keys and certificates: each is replaced as a whole, and a key is for its owner alone.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use super::authority::CertsError;

/// Of a key.
pub(super) const SECRET: u32 = 0o600;
/// Of a certificate.
pub(super) const PUBLIC: u32 = 0o644;

/// Puts a file in the place of the one there, if there is one.
pub(super) fn put(path: &Path, text: &str, mode: u32) -> Result<(), CertsError> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let written = || -> io::Result<()> {
        // What a command that was killed has left behind may have other permissions.
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, path)
    };
    written().map_err(|source| CertsError::Write { path: path.to_owned(), source })
}

/// Makes a folder with those above it, if it is not there.
pub(super) fn folder(path: &Path, mode: u32) -> Result<(), CertsError> {
    let made = DirBuilder::new().recursive(true).mode(mode).create(path);
    made.map_err(|source| CertsError::Write { path: path.to_owned(), source })
}

/// The text of a file.
pub(super) fn text(path: &Path) -> Result<String, CertsError> {
    fs::read_to_string(path).map_err(|source| CertsError::File { path: path.to_owned(), source })
}
