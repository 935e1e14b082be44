// SPDX-License-Identifier: Apache-2.0 OR MIT
//! virtio-blk (virtio 1.2, 5.2): one request queue.

use super::{
    buffers::Request,
    disk::{Disk, transfer},
    rings::Rings,
    transport::VirtioDevice,
};
use std::io;
use vm_memory::Bytes;

/// Bytes of a sector (5.2.4).
const SECTOR: u64 = 512;

// Types and statuses of requests (5.2.6).
const IN: u32 = 0;
const OUT: u32 = 1;
const FLUSH: u32 = 4;
const GET_ID: u32 = 8;
const OK: u8 = 0;
const IOERR: u8 = 1;
const UNSUPPORTED: u8 = 2;

/// The name that it gives itself, 20 bytes.
const ID: &[u8; 20] = b"unmapbench\0\0\0\0\0\0\0\0\0\0";

/// A block device.
pub struct Block {
    disk: Box<dyn Disk>,
    requests: u64,
    moved: u64,
    failed: Option<io::Error>,
}

impl std::fmt::Debug for Block {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Block")
            .field("requests", &self.requests)
            .finish()
    }
}

impl Block {
    /// A device for `disk`.
    pub fn new(disk: Box<dyn Disk>) -> Self {
        Block {
            disk,
            requests: 0,
            moved: 0,
            failed: None,
        }
    }

    /// How many reads and writes it has completed well.
    pub fn requests(&self) -> u64 {
        self.requests
    }

    /// How many bytes they moved.
    pub fn moved(&self) -> u64 {
        self.moved
    }

    /// The first error of its disk.
    pub fn failed(&self) -> Option<&io::Error> {
        self.failed.as_ref()
    }

    /// Its disk.
    pub fn disk(&self) -> &dyn Disk {
        self.disk.as_ref()
    }

    /// Carries out one request; how many bytes it wrote to guest memory before the
    /// status, and the status.
    fn carry_out(&mut self, request: &mut Request<'_>) -> Option<(u64, u8)> {
        let mut header = [0; 16];
        request.readable.take_front(&mut header)?;
        let kind = u32::from_le_bytes(header[..4].try_into().ok()?);
        let sector = u64::from_le_bytes(header[8..].try_into().ok()?);
        let (len, written) = match kind {
            IN => (request.writable.len(), request.writable.len()),
            OUT => (request.readable.len(), 0),
            FLUSH => {
                let done = self.disk.flush();
                return Some((0, self.status(done)));
            }
            GET_ID => return Some(self.identify(request)),
            _ => return Some((0, UNSUPPORTED)),
        };
        let offset = sector.checked_mul(SECTOR);
        let end = offset.and_then(|o| o.checked_add(len));
        let within = end.is_some_and(|end| end <= self.disk.len());
        if !within || len == 0 || !len.is_multiple_of(SECTOR) {
            return Some((0, IOERR));
        }
        let buffers = match kind {
            OUT => &mut request.readable,
            _ => &mut request.writable,
        };
        let done = transfer(self.disk.as_mut(), offset?, buffers, kind == OUT);
        let status = self.status(done);
        if status == OK {
            self.requests += 1;
            self.moved += len;
        }
        Some((written, status))
    }

    /// Carries out one request and tells its status; how many bytes it wrote.
    fn complete(&mut self, mut request: Request<'_>) -> Result<u32, String> {
        let Some(status) = request.writable.take_last() else {
            return Err("a request without room for its status".into());
        };
        let Some((written, verdict)) = self.carry_out(&mut request) else {
            return Err("a request shorter than its header".into());
        };
        status
            .write_obj(verdict, 0)
            .map_err(|e| format!("writing a status: {e}"))?;
        Ok(u32::try_from(written + 1).unwrap_or(u32::MAX))
    }

    fn status(&mut self, done: io::Result<()>) -> u8 {
        match done {
            Ok(()) => OK,
            Err(e) => {
                self.failed.get_or_insert(e);
                IOERR
            }
        }
    }

    fn identify(&self, request: &mut Request<'_>) -> (u64, u8) {
        let mut left = &ID[..];
        for slice in request.writable.slices() {
            let n = slice.len().min(left.len());
            if slice.write_slice(&left[..n], 0).is_err() {
                return (0, IOERR);
            }
            left = &left[n..];
        }
        ((ID.len() - left.len()) as u64, OK)
    }
}

impl VirtioDevice for Block {
    fn id(&self) -> u32 {
        2
    }

    fn config(&self, offset: u64, data: &mut [u8]) {
        let capacity = (self.disk.len() / SECTOR).to_le_bytes();
        for (i, byte) in (offset as usize..).zip(data) {
            *byte = capacity.get(i).copied().unwrap_or(0);
        }
    }

    fn queues(&self) -> usize {
        1
    }

    fn serve(&mut self, queue: usize, rings: &mut Rings<'_>) -> Result<(), String> {
        while let Some(taken) = rings.take(queue)? {
            let written = self.complete(taken.request)?;
            rings.give_back(queue, taken.head, written)?;
        }
        Ok(())
    }
}
