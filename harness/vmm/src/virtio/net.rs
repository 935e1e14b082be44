// SPDX-License-Identifier: Apache-2.0 OR MIT
//! virtio-net (virtio 1.2, 5.1) whose wire is a loop: each frame that the driver
//! transmits is received by the same driver.

use super::{rings::Rings, transport::VirtioDevice};

/// The queues (5.1.2).
pub(super) const RECEIVE: usize = 0;
pub(super) const TRANSMIT: usize = 1;

/// VIRTIO_NET_F_MAC (5.1.3): the configuration begins with an address.
const MAC: u64 = 1 << 5;

/// The device's address: locally administered.
const ADDRESS: [u8; 6] = [0x02, b'u', b'n', b'm', b'a', b'p'];

/// What precedes a frame (5.1.6): 12 bytes, of which the device says that one buffer
/// holds the frame and nothing else.
const HEADER: u64 = 12;
const RECEIVED: [u8; HEADER as usize] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0];

/// A network device.
#[derive(Debug, Default)]
pub struct Net {
    frames: u64,
    moved: u64,
    dropped: u64,
}

impl Net {
    /// How many frames came back.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// How many bytes they had, without headers.
    pub fn moved(&self) -> u64 {
        self.moved
    }

    /// How many did not, for want of a buffer or of room in it.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Moves the frame of a transmitted chain into a buffer to receive it; how many
    /// bytes that has then.
    fn loop_back(&mut self, rings: &mut Rings<'_>) -> Result<bool, String> {
        let Some(mut sent) = rings.take(TRANSMIT)? else {
            return Ok(false);
        };
        let mut header = [0; HEADER as usize];
        let frame = sent.request.readable.take_front(&mut header);
        frame.ok_or("a frame shorter than its header")?;
        let len = sent.request.readable.len();
        match rings.take(RECEIVE)? {
            None => self.dropped += 1,
            Some(mut buffer) => {
                let room = &mut buffer.request.writable;
                let mut written = 0;
                if room.len() >= HEADER + len {
                    room.put_front(&RECEIVED).ok_or("a buffer that shrank")?;
                    let copied = sent.request.readable.copy_to(room);
                    if copied != len {
                        return Err("a frame that shrank".into());
                    }
                    written = HEADER + len;
                    self.frames += 1;
                    self.moved += len;
                } else {
                    self.dropped += 1;
                }
                let written = u32::try_from(written).unwrap_or(u32::MAX);
                rings.give_back(RECEIVE, buffer.head, written)?;
            }
        }
        rings.give_back(TRANSMIT, sent.head, 0)?;
        Ok(true)
    }
}

/// What a network device says of itself from `offset` of its configuration on.
pub(super) fn config(offset: u64, data: &mut [u8]) {
    for (i, byte) in (offset..).zip(data) {
        *byte = ADDRESS.get(i as usize).copied().unwrap_or(0);
    }
}

impl VirtioDevice for Net {
    fn id(&self) -> u32 {
        1
    }

    fn features(&self) -> u64 {
        MAC
    }

    fn queues(&self) -> usize {
        2
    }

    fn config(&self, offset: u64, data: &mut [u8]) {
        config(offset, data);
    }

    fn begin(&mut self, _features: u64, rings: &mut Rings<'_>) -> Result<(), String> {
        // A buffer to receive into is nothing to do.
        rings.quiet(RECEIVE)
    }

    fn serve(&mut self, queue: usize, rings: &mut Rings<'_>) -> Result<(), String> {
        while queue == TRANSMIT && self.loop_back(rings)? {}
        Ok(())
    }
}
