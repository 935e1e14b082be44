// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Opening KVM, and naming the call that failed.

use crate::Error;
use kvm_ioctls::Kvm;
use std::io;
use vmm_sys_util::eventfd::{EFD_NONBLOCK, EventFd};

/// Opens `/dev/kvm`.
///
/// # Errors
/// [`Error::NoKvm`], whose text says what to do.
pub fn open_kvm() -> Result<Kvm, Error> {
    let kvm = Kvm::new().map_err(|e| Error::NoKvm { source: e.into() })?;
    match kvm.get_api_version() {
        12 => Ok(kvm),
        other => Err(Error::NoKvm {
            source: io::Error::other(format!("KVM_GET_API_VERSION says {other}, not 12")),
        }),
    }
}

/// An eventfd that is read without waiting.
///
/// # Errors
/// [`Error::Call`].
pub(crate) fn eventfd() -> Result<EventFd, Error> {
    EventFd::new(EFD_NONBLOCK).map_err(|source| Error::Call {
        call: "eventfd(EFD_NONBLOCK)".into(),
        source,
    })
}

/// Turns an ioctl's error into ours, with the call's name and arguments.
pub(crate) trait Named<T> {
    fn call(self, name: impl FnOnce() -> String) -> Result<T, Error>;
}

impl<T> Named<T> for Result<T, kvm_ioctls::Error> {
    fn call(self, name: impl FnOnce() -> String) -> Result<T, Error> {
        self.map_err(|e| Error::Call {
            call: name(),
            source: e.into(),
        })
    }
}
