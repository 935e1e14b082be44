// SPDX-License-Identifier: Apache-2.0 OR MIT
//! This program, and whether an ELF file is linked statically.

use crate::error::{Error, io_error};
use elf::{ElfBytes, abi::PT_INTERP, endian::LittleEndian};
use std::{env, fs};

/// This program, which is the lab's first process too.
///
/// # Errors
/// [`Error::NotStatic`] if it cannot run there, [`Error::Io`] if it cannot be read.
pub fn this_program() -> Result<Vec<u8>, Error> {
    let path = env::current_exe().map_err(io_error("find", "this program"))?;
    let program = fs::read(&path).map_err(io_error("read", &path))?;
    match needs_interpreter(&program) {
        true => Err(Error::NotStatic),
        false => Ok(program),
    }
}

/// Whether an ELF program asks for a dynamic loader (a PT_INTERP header).
pub fn needs_interpreter(program: &[u8]) -> bool {
    let file = ElfBytes::<LittleEndian>::minimal_parse(program);
    let segments = file.ok().and_then(|file| file.segments());
    segments.is_some_and(|all| all.iter().any(|header| header.p_type == PT_INTERP))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dynamic_program_is_told_from_a_static_one() {
        let shell = fs::read("/bin/sh").unwrap();
        assert!(needs_interpreter(&shell));
        assert!(!needs_interpreter(&this_program().unwrap()));
        assert!(!needs_interpreter(b"\x7fELF"));
    }
}
