// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A device served by a thread that an eventfd wakes, as VMMs do it: the guest's
//! notification does not wait for the work.

use super::Shared;
use crate::lock;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
};
use vmm_sys_util::eventfd::{EFD_CLOEXEC, EventFd};

/// The thread. Dropping it ends it.
#[derive(Debug)]
pub struct Kicked {
    kick: EventFd,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Kicked {
    /// Serves queue `queue` of `device` whenever [`Kicked::eventfd`] is signalled,
    /// on CPU `cpu` only if one is named.
    ///
    /// # Errors
    /// What the kernel says of an eventfd or its copy.
    pub fn serve(device: Shared, queue: usize, cpu: Option<usize>) -> io::Result<Self> {
        let kick = EventFd::new(EFD_CLOEXEC)?;
        let stop = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let (kick, stop) = (kick.try_clone()?, stop.clone());
            move || {
                // On any CPU if it may not be on that one: whoever names one checks.
                let _ = cpu.map(pin);
                // A read waits for the next signal, and takes all there are.
                while kick.read().is_ok() && !stop.load(Ordering::Acquire) {
                    lock(&device).notify(queue);
                }
            }
        });
        Ok(Kicked {
            kick,
            stop,
            thread: Some(thread),
        })
    }

    /// What wakes it.
    pub fn eventfd(&self) -> &EventFd {
        &self.kick
    }
}

/// Keeps the calling thread on CPU `cpu`.
///
/// # Errors
/// What the kernel says: there is no such CPU, or it is not for this process.
pub fn pin(cpu: usize) -> io::Result<()> {
    let mut set = CpuSet::new();
    if cpu >= CpuSet::MAX_CPU {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    set.set(cpu);
    Ok(sched_setaffinity(None, &set)?)
}

/// Lets the calling thread run on all of `cpus`.
///
/// # Errors
/// As [`pin`].
pub fn spread(cpus: &[usize]) -> io::Result<()> {
    let mut set = CpuSet::new();
    for cpu in cpus.iter().filter(|cpu| **cpu < CpuSet::MAX_CPU) {
        set.set(*cpu);
    }
    Ok(sched_setaffinity(None, &set)?)
}

/// The CPUs on which the calling thread may run.
///
/// # Errors
/// What the kernel says.
pub fn cpus() -> io::Result<Vec<usize>> {
    let set = sched_getaffinity(None)?;
    Ok((0..CpuSet::MAX_CPU)
        .filter(|cpu| set.is_set(*cpu))
        .collect())
}

impl Drop for Kicked {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        // A thread that cannot be woken has ended by itself.
        let _ = self.kick.write(1);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
