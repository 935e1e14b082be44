// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The watchdog: a POSIX timer that signals the vCPU's own thread.
//!
//! A signal that arrives within KVM_RUN ends it with EINTR. One that arrives
//! just before would be lost, so the handler also sets `immediate_exit` in the
//! vCPU's `kvm_run`, which makes the next KVM_RUN return at once (KVM API
//! documentation, 5. "The kvm_run structure"). No thread watches: an armed
//! timer costs a measured window nothing.

// UNSAFETY: signal handlers, POSIX timers and the shared kvm_run page.
#![expect(unsafe_code)]

use crate::{Error, Registers};
use kvm_bindings::kvm_run;
use kvm_ioctls::VcpuFd;
use std::{cell::Cell, io, mem, ptr, sync::OnceLock, time::Duration};

thread_local! {
    /// The `immediate_exit` byte of the vCPU that this thread runs; null if none.
    static IMMEDIATE_EXIT: Cell<*mut u8> = const { Cell::new(ptr::null_mut()) };
    /// Whether the timer of this thread has fired since it was armed.
    static EXPIRED: Cell<bool> = const { Cell::new(false) };
}

/// How often the signal is repeated until the thread takes notice.
const REPEAT: Duration = Duration::from_millis(10);

extern "C" fn on_signal(_: libc::c_int) {
    // Both cells are initialised at compile time and have no destructor, so
    // that reaching them takes no lock and no allocation.
    EXPIRED.set(true);
    let byte = IMMEDIATE_EXIT.get();
    if !byte.is_null() {
        // SAFETY: set by `arm` to a byte of a kvm_run mapping that outlives the
        // deadline, and cleared by its drop on this same thread.
        unsafe { byte.write_volatile(1) };
    }
}

/// An armed watchdog for the current thread. Dropping it disarms it.
#[derive(Debug)]
pub(crate) struct Deadline {
    timer: libc::timer_t,
    after: Duration,
}

impl Deadline {
    /// Interrupts KVM_RUN on this thread `after` from now, until dropped.
    ///
    /// # Safety
    /// `immediate_exit` points at that byte of the kvm_run mapping of the vCPU
    /// which this thread is going to run, and stays valid until the drop, which
    /// happens on this thread.
    unsafe fn arm(after: Duration, immediate_exit: *mut u8) -> Result<Self, Error> {
        install_handler()?;
        let failed = |call: &str| Error::Call {
            call: call.into(),
            source: io::Error::last_os_error(),
        };
        // SAFETY: all-zero is a valid value of this C structure.
        let mut event: libc::sigevent = unsafe { mem::zeroed() };
        event.sigev_notify = libc::SIGEV_THREAD_ID;
        event.sigev_signo = libc::SIGRTMIN();
        // SAFETY: gettid has no arguments and cannot fail.
        event.sigev_notify_thread_id = unsafe { libc::gettid() };
        let mut timer = ptr::null_mut();
        // SAFETY: both structures are ours and live through the call.
        if unsafe { libc::timer_create(libc::CLOCK_MONOTONIC, &mut event, &mut timer) } != 0 {
            return Err(failed("timer_create(CLOCK_MONOTONIC, SIGEV_THREAD_ID)"));
        }
        EXPIRED.set(false);
        IMMEDIATE_EXIT.set(immediate_exit);
        let deadline = Deadline { timer, after };
        let spec = libc::itimerspec {
            it_value: timespec(after),
            it_interval: timespec(REPEAT),
        };
        // SAFETY: a timer of ours, a structure that lives through the call.
        if unsafe { libc::timer_settime(timer, 0, &spec, ptr::null_mut()) } != 0 {
            return Err(failed("timer_settime"));
        }
        Ok(deadline)
    }

    /// [`Deadline::arm`] for `vcpu`.
    ///
    /// # Safety
    /// This thread runs `vcpu` and drops the deadline before it gives that away.
    pub(crate) unsafe fn of(vcpu: &mut VcpuFd, after: Duration) -> Result<Self, Error> {
        let run: *mut kvm_run = vcpu.get_kvm_run();
        let at = mem::offset_of!(kvm_run, immediate_exit);
        // SAFETY: the byte lies in this vCPU's kvm_run mapping, which lives as long as
        // the vCPU, and that longer than the deadline by the contract above.
        unsafe { Self::arm(after, run.cast::<u8>().wrapping_add(at)) }
    }

    /// Whether the time is up.
    pub(crate) fn expired(&self) -> bool {
        EXPIRED.get()
    }

    /// What it means that KVM_RUN failed on `vcpu`: nothing if it is to be run again.
    ///
    /// # Errors
    /// [`Error::Hung`] or [`Error::Run`].
    pub(crate) fn judge(&self, vcpu: &VcpuFd, error: kvm_ioctls::Error) -> Result<(), Error> {
        match error.errno() {
            libc::EINTR if self.expired() => Err(Error::Hung {
                after: self.after,
                registers: Registers::of(vcpu),
            }),
            libc::EINTR | libc::EAGAIN => Ok(()),
            _ => Err(Error::Run {
                source: error.into(),
                registers: Registers::of(vcpu),
            }),
        }
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        // SAFETY: created by `arm` and deleted only here.
        unsafe { libc::timer_delete(self.timer) };
        let byte = IMMEDIATE_EXIT.replace(ptr::null_mut());
        if !byte.is_null() {
            // SAFETY: still valid by the contract of `arm`. A signal that came
            // late must not stop the next run of this vCPU.
            unsafe { byte.write_volatile(0) };
        }
    }
}

fn timespec(d: Duration) -> libc::timespec {
    libc::timespec {
        tv_sec: d.as_secs() as libc::time_t,
        tv_nsec: d.subsec_nanos().into(),
    }
}

/// Sees to it that the signal is one, whether a deadline is armed or not.
pub(crate) fn install_handler() -> Result<(), Error> {
    static INSTALLED: OnceLock<Result<(), i32>> = OnceLock::new();
    let installed = INSTALLED.get_or_init(|| {
        vmm_sys_util::signal::register_signal_handler(libc::SIGRTMIN(), on_signal_info)
            .map_err(|e| e.errno())
    });
    (*installed).map_err(|errno| Error::Call {
        call: "sigaction(SIGRTMIN)".into(),
        source: io::Error::from_raw_os_error(errno),
    })
}

extern "C" fn on_signal_info(signal: libc::c_int, _: *mut libc::siginfo_t, _: *mut libc::c_void) {
    on_signal(signal);
}
