// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A device served by a thread that an eventfd wakes, as VMMs do it: the guest's
//! notification does not wait for the work.

use super::SharedBlock;
use std::{
    io,
    sync::{
        Arc, PoisonError,
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
    /// Serves `device` whenever [`Kicked::eventfd`] is signalled.
    ///
    /// # Errors
    /// What the kernel says of an eventfd or its copy.
    pub fn serve(device: SharedBlock) -> io::Result<Self> {
        let kick = EventFd::new(EFD_CLOEXEC)?;
        let stop = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let (kick, stop) = (kick.try_clone()?, stop.clone());
            move || {
                // A read waits for the next signal, and takes all there are.
                while kick.read().is_ok() && !stop.load(Ordering::Acquire) {
                    let mut device = device.lock().unwrap_or_else(PoisonError::into_inner);
                    device.notify();
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
