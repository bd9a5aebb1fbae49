//! The compressed layer of a compat image: a tar archive with the module, the same bytes each time.

use std::io::{self, Write as _};

use flate2::{Compression, GzBuilder};

/// The name under which fetchers look for the module in a layer (Wasm Image Specification, variant compat).
pub(super) const PLUGIN: &str = "plugin.wasm";

/// A layer.
pub(super) struct Layer {
    /// As it is stored.
    pub(super) compressed: Vec<u8>,
    /// The archive itself: its digest is the layer's `diff_id`.
    pub(super) archive: Vec<u8>,
}

/// Packs a module. `time` is that of the file, in seconds since 1970; nobody's name and no other time go in.
pub(super) fn pack(module: &[u8], time: u64) -> io::Result<Layer> {
    let mut header = tar::Header::new_ustar();
    header.set_size(module.len() as u64);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(time);
    let mut archive = tar::Builder::new(Vec::new());
    archive.append_data(&mut header, PLUGIN, module)?;
    let archive = archive.into_inner()?;
    // Without a time, and with the operating system "unknown".
    let mut gzip = GzBuilder::new().mtime(0).operating_system(255).write(Vec::new(), Compression::best());
    gzip.write_all(&archive)?;
    Ok(Layer { compressed: gzip.finish()?, archive })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::digest::Digest;

    #[test]
    fn nothing_of_this_machine_or_moment_is_in_a_layer() {
        let layer = pack(b"\0asm\x01\0\0\0", 0).unwrap();
        assert_eq!(layer.compressed[..4], [0x1f, 0x8b, 8, 0]);
        assert_eq!(layer.compressed[4..8], [0; 4], "time");
        assert_eq!(layer.compressed[9], 255, "operating system");
        let mut archive = tar::Archive::new(&layer.archive[..]);
        let entry = archive.entries().unwrap().next().unwrap().unwrap();
        let header = entry.header();
        assert_eq!(entry.path().unwrap().to_str(), Some(PLUGIN));
        assert_eq!((header.mtime().unwrap(), header.uid().unwrap(), header.gid().unwrap()), (0, 0, 0));
        assert_eq!((header.mode().unwrap(), header.size().unwrap()), (0o644, 8));
        assert_eq!(header.username().unwrap(), Some(""));
        assert_eq!(pack(b"\0asm\x01\0\0\0", 0).unwrap().compressed, layer.compressed);
        // On another day, on another machine, and with another version of what packs it, or this says so.
        let digest = "3ecb6c1ae818825692dc3e32a8336f687e329bc38da3fd50439cf4fd30430cae";
        assert_eq!(Digest::of(&layer.compressed).hex(), digest);
        assert_ne!(pack(b"\0asm\x01\0\0\0", 1).unwrap().compressed, layer.compressed);
    }
}
