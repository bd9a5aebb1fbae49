//! Where the blobs of an image come from. Whatever brings them, their digests are checked here.

use super::digest::Digest;
use super::fetch::MAX_SIZE;
use super::layout::LayoutError;
use super::model::Descriptor;
use super::registry::RegistryError;

/// The largest blob that is read. Whatever is larger has no place in an image of a module.
pub const MAX_BLOB: u64 = MAX_SIZE;

/// The manifest or index that a name stands for.
#[derive(Debug, Clone)]
pub struct Root {
    /// The name.
    pub name: String,
    /// Whether the name contains the digest.
    pub by_digest: bool,
    /// What the registry or the layout calls it.
    pub media_type: String,
    /// As it is stored.
    pub bytes: Vec<u8>,
}

/// A registry's repository, or a layout.
pub trait Source {
    /// A manifest that an index names.
    ///
    /// # Errors
    /// It can't be had, or is not what its digest says.
    fn manifest(&self, descriptor: &Descriptor) -> Result<Vec<u8>, SourceError>;

    /// A blob that a manifest names.
    ///
    /// # Errors
    /// It can't be had, or is not what its digest says.
    fn blob(&self, descriptor: &Descriptor) -> Result<Vec<u8>, SourceError>;
}

/// Hands `bytes` on if they are what `descriptor` names.
pub(super) fn verified(descriptor: &Descriptor, bytes: Vec<u8>) -> Result<Vec<u8>, SourceError> {
    let (wanted, size) = (descriptor.digest.clone(), bytes.len() as u64);
    if size != descriptor.size {
        return Err(SourceError::Size { wanted, says: descriptor.size, size });
    }
    let is = Digest::of(&bytes);
    if is == wanted { Ok(bytes) } else { Err(SourceError::Digest { wanted, is }) }
}

/// A blob is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// It has other bytes.
    #[error("{wanted} has bytes with the digest {is}")]
    Digest {
        /// By which it was asked for.
        wanted: Digest,
        /// Of what came.
        is: Digest,
    },
    /// It has more bytes or fewer.
    #[error("{wanted} has {size} bytes instead of {says}")]
    Size {
        /// By which it was asked for.
        wanted: Digest,
        /// What the manifest says.
        says: u64,
        /// What came.
        size: u64,
    },
    /// It has more bytes, and they were not all read.
    #[error("{0} has more than the {1} bytes that it should have")]
    Longer(Digest, u64),
    /// Larger than any module.
    #[error("{0} is said to have {1} bytes, and more than 256 MiB are not read")]
    TooLarge(Digest, u64),
    /// It is not in the layout.
    #[error("{0} is missing")]
    Missing(Digest),
    /// The layout can't be read.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The registry does not give it.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

impl SourceError {
    /// Whether it is the image that is at fault, and not the way to it.
    #[must_use]
    pub const fn is_of_image(&self) -> bool {
        matches!(
            self,
            Self::Digest { .. }
                | Self::Size { .. }
                | Self::Longer(..)
                | Self::TooLarge(..)
                | Self::Missing(_)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_to_be_those_that_were_named() {
        let descriptor = Descriptor::of("a/b", b"abc");
        assert_eq!(verified(&descriptor, b"abc".to_vec()).unwrap(), b"abc");
        let error = verified(&descriptor, b"abd".to_vec()).unwrap_err();
        assert!(matches!(error, SourceError::Digest { .. }) && error.is_of_image(), "{error}");
        let error = verified(&descriptor, b"abcd".to_vec()).unwrap_err();
        assert!(error.to_string().contains("has 4 bytes instead of 3") && error.is_of_image());
    }
}
