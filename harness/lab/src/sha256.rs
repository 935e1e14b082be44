// SPDX-License-Identifier: Apache-2.0 OR MIT
//! SHA-256 of files, as it is written down.

use hmac_sha256::Hash;
use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// The hash of a file's content, in hexadecimal.
pub(crate) fn file(path: &Path) -> io::Result<String> {
    let mut hash = Hash::new();
    let mut buffer = vec![0; 1 << 20];
    let mut file = File::open(path)?;
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hex(&hash.finalize())),
            Ok(n) => hash.update(&buffer[..n]),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_its_content() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        std::fs::write(&path, "abc").unwrap();
        // The test vector of FIPS 180-4.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(file(&path).unwrap(), expected);
    }
}
