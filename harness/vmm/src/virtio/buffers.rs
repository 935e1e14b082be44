// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The memory of one request: what a descriptor chain points to, as slices.

use crate::Memory;
use std::collections::VecDeque;
use virtio_queue::DescriptorChain;
use vm_memory::{Bytes, GuestMemoryBackend, VolatileSlice};

/// A part of a chain, in order.
#[derive(Debug, Default)]
pub(super) struct Buffers<'a> {
    slices: VecDeque<VolatileSlice<'a>>,
    len: u64,
}

/// What the device may read, and what it may write.
#[derive(Debug)]
pub struct Request<'a> {
    pub(super) readable: Buffers<'a>,
    pub(super) writable: Buffers<'a>,
}

/// The most bytes that one request may carry; more is a mistake or an attack.
const LEN_MAX: u64 = 64 << 20;

impl<'a> Request<'a> {
    /// The memory of `chain`.
    ///
    /// # Errors
    /// What is wrong with it, in words: it ends before its end (a loop, an index
    /// beyond the table), points beyond memory, or has a readable part after a
    /// writable one (2.7.4.2).
    pub(super) fn of(
        chain: DescriptorChain<&'a Memory>,
        memory: &'a Memory,
    ) -> Result<Self, String> {
        let mut request = Request {
            readable: Buffers::default(),
            writable: Buffers::default(),
        };
        let mut ends = false;
        for descriptor in chain {
            ends = !descriptor.has_next();
            let (at, len) = (descriptor.addr(), descriptor.len());
            let slice = memory
                .get_slice(at, len as usize)
                .map_err(|e| format!("a buffer of {len:#x} bytes at {:#x}: {e}", at.0))?;
            if descriptor.is_write_only() {
                request.writable.push(slice)?;
            } else if request.writable.len == 0 {
                request.readable.push(slice)?;
            } else {
                return Err("a readable buffer after a writable one".into());
            }
        }
        match ends {
            true => Ok(request),
            false => Err("a descriptor chain that does not end".into()),
        }
    }
}

impl<'a> Buffers<'a> {
    fn push(&mut self, slice: VolatileSlice<'a>) -> Result<(), String> {
        self.len += slice.len() as u64;
        self.slices.push_back(slice);
        match self.len > LEN_MAX {
            true => Err(format!("a request of more than {LEN_MAX:#x} bytes")),
            false => Ok(()),
        }
    }

    /// How many bytes.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// The slices.
    pub(super) fn slices(&mut self) -> impl Iterator<Item = &mut VolatileSlice<'a>> {
        self.slices.iter_mut()
    }

    /// Takes the first `bytes.len()` bytes off; `None` if there are fewer.
    pub(super) fn take_front(&mut self, bytes: &mut [u8]) -> Option<()> {
        let mut done = 0;
        while done < bytes.len() {
            let slice = self.front(bytes.len() - done)?;
            let end = done + slice.len();
            slice.read_slice(&mut bytes[done..end], 0).ok()?;
            done = end;
        }
        Some(())
    }

    /// Writes the first `bytes.len()` bytes and takes them off; `None` if there are
    /// fewer.
    pub(super) fn put_front(&mut self, bytes: &[u8]) -> Option<()> {
        let mut done = 0;
        while done < bytes.len() {
            let slice = self.front(bytes.len() - done)?;
            let end = done + slice.len();
            slice.write_slice(&bytes[done..end], 0).ok()?;
            done = end;
        }
        Some(())
    }

    /// Copies to the front of `to` as much as both have, and takes it off; how many
    /// bytes.
    pub(super) fn copy_to(&mut self, to: &mut Buffers<'_>) -> u64 {
        let mut copied = 0;
        while self.len > 0
            && to.len > 0
            && let Some(into) = to.front(usize::try_from(self.len).unwrap_or(usize::MAX))
            && let Some(()) = self.fill(&into)
        {
            copied += into.len() as u64;
        }
        copied
    }

    /// Fills `into` from the front.
    fn fill(&mut self, into: &VolatileSlice<'_>) -> Option<()> {
        let mut done = 0;
        while done < into.len() {
            let from = self.front(into.len() - done)?;
            from.copy_to_volatile_slice(into.subslice(done, from.len()).ok()?);
            done += from.len();
        }
        Some(())
    }

    /// Takes off what lies together at the front, `most` bytes at the most; `None` if
    /// there is nothing.
    fn front(&mut self, most: usize) -> Option<VolatileSlice<'a>> {
        loop {
            let slice = self.slices.pop_front()?;
            let n = slice.len().min(most);
            if n < slice.len() {
                self.slices.push_front(slice.offset(n).ok()?);
            }
            if n > 0 {
                self.len -= n as u64;
                return slice.subslice(0, n).ok();
            }
        }
    }

    /// Takes the last byte off, for the device to write; `None` if there is none.
    pub(super) fn take_last(&mut self) -> Option<VolatileSlice<'a>> {
        while let Some(slice) = self.slices.pop_back() {
            if let Some(last) = slice.len().checked_sub(1) {
                if last > 0 {
                    self.slices.push_back(slice.subslice(0, last).ok()?);
                }
                self.len -= 1;
                return slice.offset(last).ok();
            }
        }
        None
    }
}
