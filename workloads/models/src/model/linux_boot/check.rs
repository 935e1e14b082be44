// SPDX-License-Identifier: Apache-2.0 OR MIT
//! That what was measured is a boot, on the machine that was asked for.

use crate::{
    CellContext, CellError, Size,
    counting::{of, pages_in},
};
use abi::{init, layout};
use results::counter::kvm;
use strategies::AtWork;
use vmm::{
    linux::{Said, Served},
    stats::Stats,
};

/// What every kernel says first.
const BANNER: &str = "Linux version ";

/// A kernel keeps a description of 64 bytes for each page, and writes to all.
const DESCRIPTION: u64 = 64;

/// How much less than its memory a kernel may give to its processes: an eighth, and the
/// kernel itself.
const KERNEL_MAX_KIB: u64 = 64 << 10;

/// The console shows a kernel, whose first process found the machine that was asked for.
pub(super) fn booted(size: Size, said: &Said, console: &str) -> Result<(), String> {
    if !console.contains(BANNER) {
        return Err(format!("the console does not show {BANNER:?}"));
    }
    let kib = size.memory >> 10;
    let least = (kib - kib / 8).saturating_sub(KERNEL_MAX_KIB);
    if !(least..=kib).contains(&said.memory_kib) {
        return Err(format!(
            "the guest has {} KiB of memory to use, where its machine has {kib}",
            said.memory_kib
        ));
    }
    match said.cpus == size.cpus {
        true => Ok(()),
        false => Err(format!(
            "the guest has {} CPUs to use, where its machine has {}: its kernel needs CONFIG_SMP and CONFIG_X86_MPPARSE",
            said.cpus, size.cpus
        )),
    }
}

/// The kernel touched its memory, and the strategy was at work, by KVM's statistics of the
/// whole boot.
pub(super) fn strategy(
    context: &CellContext<'_>,
    size: Size,
    now: &Stats,
) -> Result<(), CellError> {
    let mapped = pages_in(now);
    let least = size.memory / layout::PAGE * DESCRIPTION / layout::PAGE;
    if mapped < least {
        return Err(format!(
            "KVM's page tables hold {mapped} pages where a kernel must have touched {least}"
        )
        .into());
    }
    context.at_work(AtWork {
        touched: mapped,
        freed: 0,
        grown: now,
    })?;
    // A pfn cache reinserts its page in every strategy, once; a page that is held may
    // serve a few accesses.
    let reads = of(now, kvm::GUEST_MEM_READS);
    if let Some(way) = context.arm().claims().evidence.read.first()
        && of(now, *way) < reads / 4
    {
        return Err(format!(
            "{}: KVM read guest memory {reads} times and counted {} {}: it took another way",
            context.arm(),
            of(now, *way),
            way.name
        )
        .into());
    }
    Ok(())
}

/// The first process read the disk by its kernel's driver, and this was interrupted when
/// there was something.
pub(super) fn read_disk(served: &Served, said: &Said) -> Result<(), String> {
    let Served {
        requests,
        interrupts,
        broken,
    } = served;
    if let Some(why) = broken {
        return Err(format!("the virtio device stopped: {why}"));
    }
    if said.disk_words != init::DISK_WORDS {
        return Err(format!(
            "the guest found {} of {} words of its disk right: its kernel needs CONFIG_VIRTIO_BLK and CONFIG_VIRTIO_MMIO_CMDLINE_DEVICES",
            said.disk_words,
            init::DISK_WORDS
        ));
    }
    match (requests, interrupts) {
        (1.., 1..) => Ok(()),
        _ => Err(format!(
            "the virtio device completed {requests} requests with {interrupts} interrupts"
        )),
    }
}
