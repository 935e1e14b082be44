// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Whether a program can run where there is nothing but itself.

use super::error::{Error, io_error};
use std::{env, fs};

/// This program, which is the lab's first process too.
pub(super) fn this_program() -> Result<Vec<u8>, Error> {
    let path = env::current_exe().map_err(io_error("find", "this program"))?;
    let program = fs::read(&path).map_err(io_error("read", &path))?;
    match needs_interpreter(&program) {
        true => Err(Error::NotStatic),
        false => Ok(program),
    }
}

/// Whether an ELF program asks for a dynamic loader (a PT_INTERP header).
pub(super) fn needs_interpreter(program: &[u8]) -> bool {
    const PT_INTERP: u32 = 3;
    let word = |at: usize, n: usize| -> Option<u64> {
        let bytes = program.get(at..at + n)?;
        Some(bytes.iter().rev().fold(0, |w, b| w << 8 | u64::from(*b)))
    };
    let header = |i: u64| -> Option<u64> {
        let at = word(32, 8)?.checked_add(i.checked_mul(word(54, 2)?)?)?;
        word(usize::try_from(at).ok()?, 4)
    };
    let count = word(56, 2).unwrap_or(0);
    (0..count).any(|i| header(i) == Some(PT_INTERP.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dynamic_program_is_told_from_a_static_one() {
        let shell = fs::read("/bin/sh").unwrap();
        assert!(needs_interpreter(&shell));
        assert!(!needs_interpreter(workloads::PAYLOAD));
        assert!(!needs_interpreter(b"\x7fELF"));
    }
}
