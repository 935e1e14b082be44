// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A kernel image that the lab boots: ours, or another.

use crate::{
    error::{Error, io_error},
    sha256,
};
use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

/// A bzImage that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Where it is.
    pub path: PathBuf,
    /// The release and build string that it carries.
    pub version: String,
    /// The SHA-256 of the file, in hexadecimal.
    pub sha256: String,
}

impl Image {
    /// Looks at `path`. The header is that of the Linux/x86 boot protocol
    /// (Documentation/arch/x86/boot.rst).
    ///
    /// # Errors
    /// [`Error::Image`] if it is no bzImage, [`Error::Io`] if it cannot be read.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let mut file = File::open(path).map_err(io_error("open", path))?;
        let mut header = [0; 0x264];
        file.read_exact(&mut header)
            .map_err(|_| not_one(path, "too short for a kernel"))?;
        if &header[0x202..0x206] != b"HdrS" {
            return Err(not_one(path, "no kernel: it lacks the boot header"));
        }
        // loadflags bit 0: loaded high, which is what makes it a *b*zImage.
        if header[0x211] & 1 == 0 {
            return Err(not_one(path, "a zImage, not a bzImage"));
        }
        // xloadflags bit 0: it has a 64-bit entry.
        if header[0x236] & 1 == 0 {
            return Err(not_one(path, "a 32-bit kernel"));
        }
        let (is, whole) = (
            file.metadata().map_err(io_error("read", path))?.len(),
            len(&header),
        );
        if is < whole {
            return Err(not_one(path, &format!("cut off: {is} bytes of {whole}")));
        }
        let offset = u16::from_le_bytes([header[0x20e], header[0x20f]]);
        let mut text = [0; 256];
        let got = file
            .seek(SeekFrom::Start(u64::from(offset) + 0x200))
            .and_then(|_| file.read(&mut text))
            .map_err(io_error("read", path))?;
        let text = text[..got].split(|b| *b == 0).next().unwrap_or_default();
        Ok(Image {
            path: path.to_path_buf(),
            version: String::from_utf8_lossy(text).into_owned(),
            sha256: sha256::file(path).map_err(io_error("read", path))?,
        })
    }
}

/// How long the file is at least, by its header: the boot sector and `setup_sects` sectors,
/// 4 if it says 0, then `syssize` times 16 bytes.
fn len(header: &[u8; 0x264]) -> u64 {
    let sectors = match header[0x1f1] {
        0 => 4,
        n => u64::from(n),
    };
    let [a, b, c, d] = [0x1f4, 0x1f5, 0x1f6, 0x1f7].map(|at: usize| header[at]);
    (sectors + 1) * 512 + u64::from(u32::from_le_bytes([a, b, c, d])) * 16
}

fn not_one(path: &Path, what: &str) -> Error {
    Error::Image {
        path: path.to_path_buf(),
        what: what.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(edit: impl FnOnce(&mut Vec<u8>)) -> Result<Image, Error> {
        // The boot sector, one sector of setup, and 3 times 16 bytes of kernel.
        let mut bytes = vec![0; 0x430];
        bytes[0x1f1] = 1;
        bytes[0x1f4] = 3;
        bytes[0x202..0x206].copy_from_slice(b"HdrS");
        bytes[0x211] = 1;
        bytes[0x236] = 1;
        bytes[0x20e] = 0x80;
        bytes[0x280..0x28c].copy_from_slice(b"7.3.4 (x@y)\0");
        edit(&mut bytes);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        Image::open(file.path())
    }

    #[test]
    fn only_a_64_bit_bzimage_is_one() {
        assert_eq!(image(|_| {}).unwrap().version, "7.3.4 (x@y)");
        let check = |edit: fn(&mut Vec<u8>), expected: &str| {
            let error = image(edit).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check(|b| b.truncate(100), "too short");
        check(|b| b[0x202] = 0, "lacks the boot header");
        check(|b| b[0x211] = 0, "a zImage");
        check(|b| b[0x236] = 0, "32-bit");
        check(|b| b.truncate(0x42f), "cut off: 1071 bytes of 1072");
        check(|b| b[0x1f1] = 0, "cut off: 1072 bytes of 2608");
        assert!(Image::open(Path::new("/nonexistent")).is_err());
    }
}
