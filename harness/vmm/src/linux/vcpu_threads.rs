// SPDX-License-Identifier: Apache-2.0 OR MIT
//! All vCPUs at the same time, until one of them ends the machine.

use super::{End, bus::Bus};
use crate::{Error, arch::linux::Vcpu, deadline};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::Duration,
};
use vmm_sys_util::signal::Killable;

/// How long a vCPU's thread is given to notice that it is to stop, before it is
/// told again.
const REPEAT: Duration = Duration::from_millis(1);

/// Runs `vcpus`: a single one on this thread, several on one thread each. Returns
/// them, and how the first one ended that did.
pub(super) fn run(
    mut vcpus: Vec<Vcpu>,
    bus: &Arc<Mutex<Bus>>,
    limit: Duration,
) -> (Vec<Vcpu>, Result<End, Error>) {
    let stop = Arc::new(AtomicBool::new(false));
    if let [only] = &mut vcpus[..] {
        let end = only.run(bus, limit, &stop);
        return (vcpus, end);
    }
    // A thread may be told to stop before it has armed anything.
    if let Err(e) = deadline::install_handler() {
        return (vcpus, Err(e));
    }
    let (send, ended) = mpsc::channel();
    let threads: Vec<JoinHandle<Vcpu>> = (vcpus.into_iter())
        .map(|mut vcpu| {
            let (bus, stop, send) = (bus.clone(), stop.clone(), send.clone());
            thread::spawn(move || {
                let end = vcpu.run(&bus, limit, &stop);
                // Nobody listens any more if another one was first.
                let _ = send.send(end);
                vcpu
            })
        })
        .collect();
    drop(send);
    let end = ended.recv().unwrap_or(Err(Error::Thread));
    stop.store(true, Ordering::Release);
    for thread in &threads {
        while !thread.is_finished() {
            // One that ends right now takes no notice.
            let _ = thread.kill(libc::SIGRTMIN());
            thread::sleep(REPEAT);
        }
    }
    let vcpus = threads.into_iter().filter_map(|t| t.join().ok());
    (vcpus.collect(), end)
}
