// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Ctrl-C: boots and builds in flight are stopped, and the caller goes on to its end.

use std::sync::atomic::{AtomicBool, Ordering};

static SEEN: AtomicBool = AtomicBool::new(false);

/// Takes note of SIGINT and SIGTERM from now on, instead of dying of them.
pub fn watch() {
    extern "C" fn note(_: libc::c_int, _: *mut libc::siginfo_t, _: *mut libc::c_void) {
        SEEN.store(true, Ordering::Relaxed);
    }
    for signal in [libc::SIGINT, libc::SIGTERM] {
        // Without the handler the signal kills, which loses nothing either.
        let _ = vmm_sys_util::signal::register_signal_handler(signal, note);
    }
}

/// Whether one has come.
pub fn seen() -> bool {
    SEEN.load(Ordering::Relaxed)
}
