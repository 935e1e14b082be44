// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Who can read guest memory: a page of it holds a secret, and each reader
//! outside the guest tries to find it.
//!
//! A reader that finds nothing may be blind rather than shut out. So each first
//! has to find another secret in an ordinary page of this process; one that does
//! not has proved nothing, and its verdict is *unknown* with the reason. No
//! reader goes through a reference to the memory, and none fails the audit.

mod attempt;
mod direct_io;
mod frame;
mod kcore;

pub use direct_io::scratch;

use crate::raw;
use attempt::{Attempt, PAGE, Page, SECRET};
use results::audit::{Finding, Reader, Verdict};
use std::io::Read;

/// What each reader finds of `secret`, which the caller has put at `address`: a
/// page of this process that is resident, for example of guest memory. One
/// finding a reader, in the order of [`Reader`]; whatever goes wrong is an
/// unknown verdict with its reason.
pub fn examine(address: *mut u8, secret: &[u8; 64]) -> Vec<Finding> {
    let address = address.addr();
    let mut ordinary = Page::zeroed();
    // Another secret, as hard to guess and at no place equal to the first.
    let control = secret.map(|byte| !byte);
    ordinary.0[..SECRET].copy_from_slice(&control);
    let pages = Pages {
        address,
        secret: *secret,
        ordinary: ordinary.0.as_ptr().addr(),
        control,
    };
    if let Err(reason) = pages.prepared() {
        let readers = [Reader::DirectMap, Reader::ProcessVmReadv, Reader::ODirect];
        return readers
            .map(|reader| Finding {
                reader,
                verdict: Verdict::Unknown,
                seen: reason.clone(),
            })
            .into();
    }
    let mut target = direct_io::Target::find();
    let o_direct = |page| match &mut target {
        Ok(target) => target.read(page),
        Err(reason) => Attempt::Unable(reason.clone()),
    };
    vec![
        pages.finding(Reader::DirectMap, kcore::read),
        pages.finding(Reader::ProcessVmReadv, process_vm_readv),
        pages.finding(Reader::ODirect, o_direct),
    ]
}

/// The page in question and an ordinary one, each with its secret.
struct Pages {
    address: usize,
    secret: [u8; SECRET],
    ordinary: usize,
    control: [u8; SECRET],
}

impl Pages {
    /// Whether the secret is where it should be. The process's own mapping must
    /// show it, or a reader that misses it has nothing to find.
    fn prepared(&self) -> Result<(), String> {
        if !self.address.is_multiple_of(PAGE) {
            return Err(format!("address {:#x} is not that of a page", self.address));
        }
        match own(self.address) {
            Ok(bytes) if bytes == self.secret => Ok(()),
            Ok(_) => Err("the secret is not in the page: nothing could be found".into()),
            Err(e) => Err(format!("the page is not readable by its owner: {e}")),
        }
    }

    fn finding(&self, reader: Reader, mut read: impl FnMut(usize) -> Attempt) -> Finding {
        let (verdict, seen) = match read(self.ordinary) {
            Attempt::Bytes(bytes) if bytes == self.control => {
                verdict(read(self.address), &self.secret)
            }
            Attempt::Unable(reason) => (Verdict::Unknown, reason),
            blind => {
                let (_, seen) = verdict(blind, &self.control);
                let seen = format!("control page not found through {}: {seen}", name(reader));
                (Verdict::Unknown, seen)
            }
        };
        Finding {
            reader,
            verdict,
            seen,
        }
    }
}

fn name(reader: Reader) -> &'static str {
    match reader {
        Reader::DirectMap => "/proc/kcore",
        Reader::ProcessVmReadv => "process_vm_readv",
        Reader::ODirect => "O_DIRECT",
    }
}

fn verdict(attempt: Attempt, secret: &[u8; SECRET]) -> (Verdict, String) {
    match attempt {
        Attempt::Bytes(bytes) if bytes == *secret => (Verdict::Readable, "the secret".into()),
        Attempt::Bytes(bytes) if bytes == [0; SECRET] => (Verdict::Hidden, "zeroes".into()),
        Attempt::Bytes(_) => (Verdict::Hidden, "other bytes than the secret".into()),
        Attempt::Refused(seen) => (Verdict::Hidden, seen),
        Attempt::Unable(reason) => (Verdict::Unknown, reason),
    }
}

/// GUP of an address space, as another process would do it.
fn process_vm_readv(address: usize) -> Attempt {
    let mut bytes = [0; SECRET];
    match raw::process_vm_readv(address, &mut bytes) {
        Ok(SECRET) => Attempt::Bytes(bytes),
        Ok(n) => Attempt::Refused(format!("process_vm_readv: {n} of {SECRET} bytes")),
        Err(e) if e.raw_os_error() == Some(libc::EFAULT) => {
            Attempt::Refused(format!("process_vm_readv: {e}"))
        }
        Err(e) => Attempt::Unable(format!(
            "process_vm_readv: {e}; needs a kernel with CONFIG_CROSS_MEMORY_ATTACH and no seccomp filter against it"
        )),
    }
}

/// The bytes at `address` as this process has them mapped: the kernel copies them
/// to a pipe, and answers EFAULT where a reference would have been a signal.
fn own(address: usize) -> std::io::Result<[u8; SECRET]> {
    let (mut reader, writer) = std::io::pipe()?;
    let mut bytes = [0; SECRET];
    let n = raw::write(&writer, address, SECRET)?;
    drop(writer);
    reader.read_exact(&mut bytes[..n])?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
