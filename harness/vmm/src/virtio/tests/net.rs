// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A network driver that behaves, and some that do not.

use super::super::{
    MmioDevice, Net, Transport,
    exercise::{AVAILABLE, SECOND, TABLE, bring_up, memory},
};
use crate::Memory;
use vm_memory::{Bytes, GuestAddress};
use vmm_sys_util::eventfd::{EFD_NONBLOCK, EventFd};

const MEMORY: usize = 1 << 17;
/// Where buffer `n` of either side is.
const SENT: u64 = 0x4000;
const GOT: u64 = 0x6000;

const NEXT: u64 = 1;
const WRITE: u64 = 2;

/// A device that is up, and its memory.
struct Driven {
    device: Transport<Net>,
    memory: Memory,
    line: EventFd,
}

impl Driven {
    fn new() -> Self {
        let memory = memory(MEMORY).unwrap();
        let line = EventFd::new(EFD_NONBLOCK).unwrap();
        let device = Transport::new(Net::default(), memory.clone()).unwrap();
        let mut device = device.interrupting(Some(line.try_clone().unwrap()));
        bring_up(&mut device);
        Driven {
            device,
            memory,
            line,
        }
    }

    /// Makes a chain of these addresses, lengths and flags the next of queue `queue`.
    fn publish(&self, queue: u64, number: u16, parts: &[(u64, u64, u64)]) {
        let base = queue * SECOND;
        let put = |at: u64, word: u64| self.memory.write_obj(word, GuestAddress(at)).unwrap();
        let first = u64::from(number % 2) * 4;
        for (i, (address, len, flags)) in (0..).zip(parts) {
            let last = i + 1 == parts.len() as u64;
            let next = if last {
                0
            } else {
                NEXT | (first + i + 1) << 16
            };
            let at = TABLE + base + (first + i) * 16;
            put(at, *address);
            put(at + 8, len | (flags | next) << 32);
        }
        let available = AVAILABLE + base;
        let entry = GuestAddress(available + 4 + u64::from(number % 8) * 2);
        self.memory.write_obj(first as u16, entry).unwrap();
        let index = GuestAddress(available + 2);
        self.memory.write_obj(number + 1, index).unwrap();
    }

    fn notify(&mut self, queue: u32) {
        self.device.write(0x050, &queue.to_le_bytes());
    }

    fn counts(&self) -> (u64, u64, u64) {
        let net = self.device.device();
        (net.frames(), net.moved(), net.dropped())
    }
}

/// A frame of `len` bytes, header and data in as many parts as `cuts` says.
fn parts(at: u64, len: u64, flags: u64, cut: u64) -> Vec<(u64, u64, u64)> {
    vec![(at, 12 + cut, flags), (at + 12 + cut, len - cut, flags)]
}

#[test]
fn a_frame_comes_back_however_it_is_cut() {
    for (number, (out, back)) in [(0, 0), (5, 0), (0, 7), (33, 60)].into_iter().enumerate() {
        let mut driven = Driven::new();
        let frame: Vec<u8> = (0..100).map(|i| i as u8 ^ number as u8).collect();
        let at = GuestAddress(SENT + 12);
        driven.memory.write_slice(&frame, at).unwrap();
        driven.publish(0, 0, &parts(GOT, 100, WRITE, back));
        driven.publish(1, 0, &parts(SENT, 100, 0, out));
        driven.notify(1);
        assert_eq!(driven.device.broken(), None);
        assert_eq!(driven.counts(), (1, 100, 0));
        let mut got = [0; 112];
        driven
            .memory
            .read_slice(&mut got, GuestAddress(GOT))
            .unwrap();
        // One buffer, no checksum to do (5.1.6).
        assert_eq!(got[..12], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
        assert_eq!(got[12..], frame);
    }
}

/// Interrupts are raised for those who want them; buffers alone need no notification.
#[test]
fn interrupts_and_notifications_are_asked_for() {
    let mut driven = Driven::new();
    let quiet = |at| -> u16 { driven.memory.read_obj(GuestAddress(at)).unwrap() };
    let used = AVAILABLE + 0x1000;
    assert_eq!((quiet(used), quiet(used + SECOND)), (1, 0));
    for (number, flags, expected) in [(0, 0, 1), (1, 1, 1), (2, 0, 2)] {
        for queue in [0, 1] {
            let at = GuestAddress(AVAILABLE + queue * SECOND);
            driven.memory.write_obj::<u16>(flags, at).unwrap();
        }
        driven.publish(0, number, &parts(GOT, 100, WRITE, 0));
        driven.publish(1, number, &parts(SENT, 100, 0, 0));
        driven.notify(1);
        assert_eq!(driven.device.interrupts(), expected);
    }
    assert_eq!(driven.line.read().unwrap(), 2);
}

#[test]
fn frames_without_room_are_dropped() {
    let mut driven = Driven::new();
    driven.publish(1, 0, &parts(SENT, 100, 0, 0));
    driven.notify(1);
    assert_eq!(driven.counts(), (0, 0, 1));
    driven.publish(0, 0, &parts(GOT, 99, WRITE, 0));
    driven.publish(1, 1, &parts(SENT, 100, 0, 0));
    driven.notify(1);
    assert_eq!(driven.counts(), (0, 0, 2));
    // A buffer that the device may not write has no room either.
    driven.publish(0, 1, &parts(GOT, 100, 0, 0));
    driven.publish(1, 2, &parts(SENT, 100, 0, 0));
    driven.notify(1);
    assert_eq!((driven.counts(), driven.device.broken()), ((0, 0, 3), None));
}

#[test]
fn a_driver_that_breaks_the_rules_stops_the_device() {
    let check = |name: &str, sent: &[(u64, u64, u64)], expected: &str| {
        let mut driven = Driven::new();
        driven.publish(0, 0, &parts(GOT, 100, WRITE, 0));
        driven.publish(1, 0, sent);
        driven.notify(1);
        let why = driven.device.broken().expect(name).to_string();
        assert!(why.contains(expected), "{name}: {why}");
        assert_eq!(driven.counts().0, 0);
    };
    check("short", &[(SENT, 11, 0)], "shorter than its header");
    check("beyond", &[(SENT, 12, 0), (1 << 40, 64, 0)], "a buffer of");
    check("empty", &[(SENT, 0, 0)], "");
    // Its own rings as a frame: no harm, whatever comes of it.
    let mut driven = Driven::new();
    driven.publish(0, 0, &[(TABLE + SECOND, 2000, WRITE)]);
    driven.publish(1, 0, &[(TABLE, 1900, 0)]);
    driven.notify(1);
    driven.notify(1);
    driven.notify(7);
    assert!(driven.counts().0 <= 1);
}
