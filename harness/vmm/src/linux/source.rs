// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A file on its way into guest memory, in one of the ways that a VMM has.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::FileExt,
};
use vm_memory::{ReadVolatile, VolatileMemoryError, VolatileSlice, bitmap::BitmapSlice};

/// What O_DIRECT wants addresses, offsets and lengths to be multiples of: the
/// largest block of the disks in use.
const ALIGN: u64 = 4096;

/// How much goes through the VMM's buffer at a time.
const BUFFER: usize = 1 << 20;

/// A way of loading.
#[derive(Debug)]
pub enum Way {
    /// A copy of what the VMM has in its memory.
    Memcpy,
    /// read(2) from a file into guest memory.
    Read(File),
    /// The same from a file opened with O_DIRECT; what is shorter than a block, at
    /// either end of a segment, is bounced.
    Direct(File),
    /// From a file opened with O_DIRECT by way of a buffer.
    Bounce(File),
}

/// A file that can be loaded. Whatever its way, its bytes are known beforehand, so
/// that a loader can look at its headers.
#[derive(Debug)]
pub struct Source {
    bytes: Vec<u8>,
    way: Way,
    /// Where it begins in the file of `way`.
    base: u64,
    position: u64,
    buffer: Vec<u8>,
    failed: Option<io::Error>,
}

impl Source {
    /// How much room a file of `len` bytes takes in the file of a [`Way`].
    pub fn room(len: u64) -> u64 {
        len.next_multiple_of(ALIGN)
    }

    /// `bytes`, which the file of `way` holds from `base` on, a multiple of what
    /// [`Source::room`] gives, with as much room behind them.
    pub fn new(bytes: Vec<u8>, way: Way, base: u64) -> Self {
        let buffer = match way {
            Way::Direct(_) | Way::Bounce(_) => vec![0; BUFFER + ALIGN as usize],
            Way::Memcpy | Way::Read(_) => Vec::new(),
        };
        Source {
            bytes,
            way,
            base,
            position: 0,
            buffer,
            failed: None,
        }
    }

    /// Its length.
    pub fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// What the kernel said when it refused to load it. Loaders do not pass it on.
    pub(crate) fn failure(&mut self) -> Option<io::Error> {
        self.failed.take()
    }

    /// Some bytes at the position into `slice`, no longer than what is left.
    fn load<B: BitmapSlice>(&mut self, slice: &mut VolatileSlice<'_, B>) -> io::Result<usize> {
        let other = |e: VolatileMemoryError| match e {
            VolatileMemoryError::IOError(e) => e,
            e => io::Error::other(e.to_string()),
        };
        let address = slice.ptr_guard_mut().as_ptr().addr() as u64;
        let whole = slice.len() as u64 / ALIGN * ALIGN;
        match &mut self.way {
            Way::Memcpy => {
                let from = self.position as usize;
                slice.copy_from(&self.bytes[from..from + slice.len()]);
                Ok(slice.len())
            }
            Way::Read(file) => {
                file.seek(SeekFrom::Start(self.base + self.position))?;
                file.read_volatile(slice).map_err(other)
            }
            Way::Direct(file) if whole > 0 && (address | self.position).is_multiple_of(ALIGN) => {
                file.seek(SeekFrom::Start(self.base + self.position))?;
                let mut blocks = slice.subslice(0, whole as usize).map_err(other)?;
                file.read_volatile(&mut blocks).map_err(other)
            }
            Way::Direct(file) => {
                // To where a block begins, in the file and hence in memory.
                let most = ALIGN - self.position % ALIGN;
                let at = self.base + self.position;
                bounce(file, at, &mut self.buffer, slice, most as usize)
            }
            Way::Bounce(file) => {
                let at = self.base + self.position;
                bounce(file, at, &mut self.buffer, slice, BUFFER)
            }
        }
    }
}

/// At most `most` bytes from `file` at `at` into `slice`, by way of `buffer`.
fn bounce<B: BitmapSlice>(
    file: &File,
    at: u64,
    buffer: &mut [u8],
    slice: &VolatileSlice<'_, B>,
    most: usize,
) -> io::Result<usize> {
    let align = ALIGN as usize;
    let begin = buffer.as_ptr().align_offset(align);
    let skip = (at % ALIGN) as usize;
    let len = slice.len().min(most).min(BUFFER - skip);
    let blocks = &mut buffer[begin..begin + (skip + len).next_multiple_of(align)];
    file.read_exact_at(blocks, at - skip as u64)?;
    slice.copy_from(&blocks[skip..skip + len]);
    Ok(len)
}

impl ReadVolatile for Source {
    fn read_volatile<B: BitmapSlice>(
        &mut self,
        buf: &mut VolatileSlice<'_, B>,
    ) -> Result<usize, VolatileMemoryError> {
        let left = self.len().saturating_sub(self.position);
        let len = (buf.len() as u64).min(left) as usize;
        if len == 0 {
            return Ok(0);
        }
        // A short answer would be the end of the file to vm-memory.
        let mut done = 0;
        while done < len {
            let mut rest = buf.subslice(done, len - done)?;
            match self.load(&mut rest) {
                Ok(0) => break,
                Ok(n) => {
                    self.position += n as u64;
                    done += n;
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => {
                    let copy = e.raw_os_error().map(io::Error::from_raw_os_error);
                    self.failed = Some(copy.unwrap_or_else(|| io::Error::other(e.to_string())));
                    return Err(VolatileMemoryError::IOError(e));
                }
            }
        }
        Ok(done)
    }
}

impl Read for Source {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let from = usize::try_from(self.position).unwrap_or(usize::MAX);
        let mut rest = self.bytes.get(from..).unwrap_or_default();
        let n = rest.read(buf)?;
        self.position += n as u64;
        Ok(n)
    }
}

impl Seek for Source {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let (from, by) = match to {
            SeekFrom::Start(at) => (at, 0),
            SeekFrom::Current(by) => (self.position, by),
            SeekFrom::End(by) => (self.len(), by),
        };
        let at = from.checked_add_signed(by);
        self.position = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use vm_memory::{Bytes, GuestAddress, GuestMemoryMmap};

    /// Every way brings the same bytes, wherever in the file and in memory. The
    /// file is a plain one: alignment is kept all the same.
    #[test]
    fn all_ways_load_the_same() {
        let content: Vec<u8> = (0..3_000_000_u32).map(|i| ((i * 7) >> 3) as u8).collect();
        let file = |base: usize| {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&vec![0xee; base]).unwrap();
            file.write_all(&content).unwrap();
            file.set_len(base as u64 + Source::room(content.len() as u64))
                .unwrap();
            file
        };
        let ways: [fn(File) -> Way; 4] = [|_| Way::Memcpy, Way::Read, Way::Direct, Way::Bounce];
        for way in ways {
            for (skip, at, len) in [
                (0, 0, 3_000_000),
                (0, 4096, 2_999_999),
                (512, 0x1000, 2_000_000),
                (4096, 0x20_0000, 1_500_001),
                (5, 7, 100),
            ] {
                let memory =
                    GuestMemoryMmap::<()>::from_ranges(&[(GuestAddress(0), 8 << 20)]).unwrap();
                let mut source = Source::new(content.clone(), way(file(8192)), 8192);
                source.seek(SeekFrom::Start(skip as u64)).unwrap();
                memory
                    .read_exact_volatile_from(GuestAddress(at), &mut source, len)
                    .unwrap();
                let mut found = vec![0; len];
                memory.read_slice(&mut found, GuestAddress(at)).unwrap();
                assert!(found == content[skip..skip + len], "{:?}", source.way);
                let beyond: u8 = memory.read_obj(GuestAddress(at + len as u64)).unwrap();
                assert_eq!(beyond, 0);
            }
        }
    }
}
