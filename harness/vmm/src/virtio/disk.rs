// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What is behind a block device, and how data gets from there to guest memory.

use super::{buffers::Buffers, raw};
use std::{fs::File, io, os::unix::fs::FileExt};
use vm_memory::{Bytes, VolatileSlice};

/// A store of bytes.
pub trait Disk: Send {
    /// Its size in bytes.
    fn len(&self) -> u64;

    /// Whether it has no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills `slice` from `offset`; both lie within.
    ///
    /// # Errors
    /// What the kernel says.
    fn read(&mut self, offset: u64, slice: &VolatileSlice<'_>) -> io::Result<()>;

    /// Writes `slice` at `offset`; both lie within.
    ///
    /// # Errors
    /// What the kernel says.
    fn write(&mut self, offset: u64, slice: &VolatileSlice<'_>) -> io::Result<()>;

    /// Makes what was written durable.
    ///
    /// # Errors
    /// What the kernel says.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// How many bytes this process has copied itself.
    fn copied(&self) -> u64;

    /// Copies `bytes.len()` bytes from `offset`, for a check.
    ///
    /// # Errors
    /// What the kernel says.
    fn inspect(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()>;
}

/// A disk in this process's memory: a request is a copy and nothing else.
#[derive(Debug)]
pub struct RamDisk {
    content: Vec<u8>,
    copied: u64,
}

impl RamDisk {
    /// A disk that holds `content`.
    pub fn new(content: Vec<u8>) -> Self {
        RamDisk { content, copied: 0 }
    }
}

impl Disk for RamDisk {
    fn len(&self) -> u64 {
        self.content.len() as u64
    }

    fn read(&mut self, offset: u64, slice: &VolatileSlice<'_>) -> io::Result<()> {
        let from = range(&self.content, offset, slice.len())?;
        slice.copy_from(&self.content[from]);
        self.copied += slice.len() as u64;
        Ok(())
    }

    fn write(&mut self, offset: u64, slice: &VolatileSlice<'_>) -> io::Result<()> {
        let to = range(&self.content, offset, slice.len())?;
        slice.copy_to(&mut self.content[to]);
        self.copied += slice.len() as u64;
        Ok(())
    }

    fn copied(&self) -> u64 {
        self.copied
    }

    fn inspect(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        let from = range(&self.content, offset, bytes.len())?;
        bytes.copy_from_slice(&self.content[from]);
        Ok(())
    }
}

fn range(content: &[u8], offset: u64, len: usize) -> io::Result<std::ops::Range<usize>> {
    let begin = usize::try_from(offset).ok();
    let end = begin.and_then(|b| b.checked_add(len));
    match (begin, end) {
        (Some(begin), Some(end)) if end <= content.len() => Ok(begin..end),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// How data crosses between a file and guest memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bounce {
    /// The kernel reads and writes guest memory.
    #[default]
    None,
    /// By a buffer that is made for each request.
    PerRequest,
    /// By a buffer that is kept.
    Pool,
}

/// A disk in a file, read and written by pread and pwrite.
#[derive(Debug)]
pub struct FileDisk {
    file: File,
    len: u64,
    bounce: Bounce,
    pool: Aligned,
    copied: u64,
}

impl FileDisk {
    /// The disk in the first `len` bytes of `file`, which may be open with
    /// O_DIRECT.
    pub fn new(file: File, len: u64, bounce: Bounce) -> Self {
        FileDisk {
            file,
            len,
            bounce,
            pool: Aligned::new(0),
            copied: 0,
        }
    }

    /// A buffer for `len` bytes, kept or new.
    fn buffer(&mut self, len: usize) -> Aligned {
        let pool = std::mem::replace(&mut self.pool, Aligned::new(0));
        match self.bounce == Bounce::Pool && pool.len() >= len {
            true => pool,
            false => Aligned::new(len),
        }
    }

    fn give_back(&mut self, buffer: Aligned) {
        if self.bounce == Bounce::Pool {
            self.pool = buffer;
        }
    }
}

impl Disk for FileDisk {
    fn len(&self) -> u64 {
        self.len
    }

    fn read(&mut self, offset: u64, slice: &VolatileSlice<'_>) -> io::Result<()> {
        if self.bounce == Bounce::None {
            return raw::read_at(&self.file, slice, offset);
        }
        let mut buffer = self.buffer(slice.len());
        let part = &mut buffer.bytes()[..slice.len()];
        self.file.read_exact_at(part, offset)?;
        slice.copy_from(part);
        self.copied += slice.len() as u64;
        self.give_back(buffer);
        Ok(())
    }

    fn write(&mut self, offset: u64, slice: &VolatileSlice<'_>) -> io::Result<()> {
        if self.bounce == Bounce::None {
            return raw::write_at(&self.file, slice, offset);
        }
        let mut buffer = self.buffer(slice.len());
        let part = &mut buffer.bytes()[..slice.len()];
        slice
            .read_slice(part, 0)
            .map_err(|e| io::Error::other(e.to_string()))?;
        self.file.write_all_at(part, offset)?;
        self.copied += slice.len() as u64;
        self.give_back(buffer);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn copied(&self) -> u64 {
        self.copied
    }

    fn inspect(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        inspect(&self.file, offset, bytes)
    }
}

/// Reads `file`, which may be open with O_DIRECT, into ordinary memory.
pub(super) fn inspect(file: &File, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
    let mut buffer = Aligned::new(bytes.len());
    let part = &mut buffer.bytes()[..bytes.len()];
    file.read_exact_at(part, offset)?;
    bytes.copy_from_slice(part);
    Ok(())
}

/// Zeroed bytes that begin at a multiple of 4096, as O_DIRECT wants them.
#[derive(Debug)]
struct Aligned {
    space: Vec<u8>,
    begin: usize,
    len: usize,
}

impl Aligned {
    const ALIGN: usize = 4096;

    fn new(len: usize) -> Self {
        let space = vec![0; if len == 0 { 0 } else { len + Self::ALIGN }];
        let begin = match len {
            0 => 0,
            _ => space.as_ptr().align_offset(Self::ALIGN),
        };
        Aligned { space, begin, len }
    }

    fn len(&self) -> usize {
        self.len
    }

    fn bytes(&mut self) -> &mut [u8] {
        &mut self.space[self.begin..self.begin + self.len]
    }
}

/// Reads or writes all of `buffers` at `offset` of `disk`.
pub(super) fn transfer(
    disk: &mut dyn Disk,
    offset: u64,
    buffers: &mut Buffers<'_>,
    write: bool,
) -> io::Result<()> {
    let mut at = offset;
    for slice in buffers.slices() {
        match write {
            true => disk.write(at, slice)?,
            false => disk.read(at, slice)?,
        }
        at += slice.len() as u64;
    }
    Ok(())
}
