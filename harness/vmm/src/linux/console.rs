// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a guest wrote to its console.

use crate::clock;
use std::io;

/// The most of a console that is kept.
const CONSOLE_MAX: usize = 1 << 20;

/// What came out of the serial port.
#[derive(Debug, Default)]
pub struct Console {
    bytes: Vec<u8>,
    pub(crate) first: Option<u64>,
}

impl Console {
    /// As text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).replace('\r', "")
    }
}

impl io::Write for Console {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.first.get_or_insert_with(clock::ticks);
        let room = CONSOLE_MAX - self.bytes.len();
        self.bytes.extend(&bytes[..bytes.len().min(room)]);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
