// SPDX-License-Identifier: Apache-2.0 OR MIT
//! virtio-blk against the least that can serve the same driver: a copy to where the
//! data must be, a status, an index.

use crate::{
    TRIPS, TURNS,
    bare::{BareVcpu, Mmio},
    machine, turns,
};
use abi::{Args, Op, Request, layout, pattern};
use std::sync::{Arc, Mutex, atomic::Ordering};
use vm_memory::{Bytes, GuestAddress, GuestMemoryBackend};
use vmm::{
    Device, Kvm, Machine, Memory,
    virtio::{Block, RamDisk, Shared, Transport},
};

const BYTES: u64 = 4096;
const SEED: u64 = 5;

// What the driver of the payload has where (payload's ops::virtio).
const STATUS: u64 = layout::ARENA + 0x9000;
const USED_INDEX: u64 = layout::ARENA + 0x2002;
const DATA: u64 = layout::ARENA + layout::BUFFERS;

/// The device's status while requests are served, and the register of notifications.
const RUNNING: u64 = 15;
const NOTIFY: u64 = layout::VIRTIO + 0x50;

/// Two machines with the same driver, one served by our device and one by the bare
/// loop, in turns; the ticks are those that the driver measured.
pub(crate) fn pairs(kvm: &Kvm) -> Vec<(u64, u64)> {
    let words = 0..layout::DISK / 8;
    let disk: Vec<u8> = words.flat_map(|i| pattern(SEED, i).to_le_bytes()).collect();
    let mut machines = [machine(kvm), machine(kvm)];
    let devices = machines.each_ref().map(|machine| -> Shared {
        let block = Block::new(Box::new(RamDisk::new(disk.clone())));
        let device = Transport::new(block, machine.memory().clone());
        Arc::new(Mutex::new(device.expect("a device of one queue")))
    });
    // Both drivers set their device up; afterwards the bare loop takes over one.
    for (machine, device) in machines.iter_mut().zip(&devices) {
        ours(machine, device);
    }
    let [served, driven] = &mut machines;
    let mut bare = BareVcpu::of(driven.vcpus()[0].fd());
    let mut exits = [0; 2];
    let pairs = turns(TURNS, |our_turn| {
        let (ticks, left) = match our_turn {
            true => ours(served, &devices[0]),
            false => {
                let submitted = driven.submit(0, request());
                submitted.expect("the command page is there");
                let left = bare.run_until_done(copies(driven.memory(), &disk));
                (ticks(driven.memory()), left)
            }
        };
        exits[usize::from(our_turn)] += left;
        ticks
    });
    let [bare, ours] = exits.map(|n| n as f64 / ((TURNS as u64 + 1) * TRIPS) as f64);
    println!("virtio-blk: {ours:.3} exits a request, {bare:.3} of the bare loop");
    pairs
}

fn request() -> Request {
    let args = Args {
        count: TRIPS,
        batch: 1,
        address: layout::VIRTIO,
        stride: BYTES,
        seed: SEED,
        place: layout::ARENA,
        ..Args::default()
    };
    Request {
        op: Op::Block,
        args,
    }
}

/// One turn of ours: its ticks, and how often the guest left.
fn ours(machine: &mut Machine, device: &Shared) -> (u64, u64) {
    let mut bus = Device::new(0).with_virtio(Some(device.clone()));
    let reply = machine
        .call(request(), &mut bus)
        .expect("the payload answers");
    assert_eq!(reply.out[..2], [0, 0], "every word is the disk's");
    (ticks(machine.memory()), bus.exits())
}

/// All samples that the driver left.
fn ticks(memory: &Memory) -> u64 {
    let sample = |i| -> u64 {
        let at = GuestAddress(layout::samples(0) + i * 8);
        memory.read_obj(at).expect("within memory")
    };
    (0..TRIPS).map(sample).sum()
}

/// Serves the next request at each notification, without a look at any ring.
fn copies<'a>(memory: &'a Memory, disk: &'a [u8]) -> impl FnMut(&mut Mmio) + 'a {
    let slice = |at, len| {
        let slice = memory.get_slice(GuestAddress(at), len);
        slice.expect("within memory")
    };
    let data = slice(DATA, BYTES as usize);
    let (status, index) = (slice(STATUS, 1), slice(USED_INDEX, 2));
    let mut used: u16 = index.load(0, Ordering::Acquire).expect("two bytes");
    let mut offset = 0;
    move |mmio| {
        if mmio.is_write == 0 || mmio.phys_addr != NOTIFY {
            mmio.data = RUNNING.to_le_bytes();
            return;
        }
        data.copy_from(&disk[offset..offset + BYTES as usize]);
        status.copy_from(&[0u8]);
        used = used.wrapping_add(1);
        let told = index.store(used, 0, Ordering::Release);
        told.expect("two bytes");
        offset = (offset + BYTES as usize) % disk.len();
    }
}
