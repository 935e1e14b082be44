// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A userfaultfd over guest memory and the thread that serves it
//! (Documentation/admin-guide/mm/userfaultfd.rst).

// UNSAFETY: a system call and ioctls without wrappers.
#![expect(unsafe_code)]

use crate::{Error, call::eventfd};
use linux_raw_sys::general as uffd;
use std::{
    fs::File,
    io::{self, Read},
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
};
use strategies::{GuestRam, SecondView};
use vmm_sys_util::{eventfd::EventFd, ioctl::ioctl_with_mut_ref};

vmm_sys_util::ioctl_iowr_nr!(
    UFFDIO_API,
    uffd::UFFDIO,
    uffd::_UFFDIO_API,
    uffd::uffdio_api
);
vmm_sys_util::ioctl_iowr_nr!(
    UFFDIO_REGISTER,
    uffd::UFFDIO,
    uffd::_UFFDIO_REGISTER,
    uffd::uffdio_register
);
vmm_sys_util::ioctl_iowr_nr!(
    UFFDIO_COPY,
    uffd::UFFDIO,
    uffd::_UFFDIO_COPY,
    uffd::uffdio_copy
);
vmm_sys_util::ioctl_iowr_nr!(
    UFFDIO_CONTINUE,
    uffd::UFFDIO,
    uffd::_UFFDIO_CONTINUE,
    uffd::uffdio_continue
);

const PAGE: u64 = abi::layout::PAGE;

/// Which faults are served, and how.
#[derive(Debug)]
enum Serve {
    /// Of pages that do not exist: a copy of a page of zeroes.
    Missing,
    /// Of pages that this mapping lacks: the page is made by another mapping.
    Minor(SecondView),
}

/// A thread that serves the faults of a range of guest memory until it is
/// dropped.
#[derive(Debug)]
pub struct Userfault {
    served: Arc<AtomicU64>,
    stop: Arc<EventFd>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Userfault {
    /// Serves faults of missing pages of `ram` from `offset` to its end.
    ///
    /// # Errors
    /// [`Error::Call`] for the call that the kernel refuses.
    pub fn missing(ram: &GuestRam, offset: u64) -> Result<Self, Error> {
        let mode = u64::from(uffd::UFFDIO_REGISTER_MODE_MISSING);
        Self::serve(ram, offset, 0, mode, "MODE_MISSING", Serve::Missing)
    }

    /// Serves faults of pages that the file has or gets and the mapping lacks.
    ///
    /// # Errors
    /// As [`Userfault::missing`].
    pub fn minor(ram: &GuestRam, offset: u64) -> Result<Self, Error> {
        let view = ram.second_view().map_err(Error::Memory)?;
        // Each page must exist before the guest touches it, or its fault is one
        // of a missing page.
        for at in (offset..ram.len() as u64).step_by(PAGE as usize) {
            view.touch(at);
        }
        let mode = u64::from(uffd::UFFDIO_REGISTER_MODE_MINOR);
        let features = u64::from(uffd::UFFD_FEATURE_MINOR_SHMEM);
        Self::serve(
            ram,
            offset,
            features,
            mode,
            "MODE_MINOR",
            Serve::Minor(view),
        )
    }

    fn serve(
        ram: &GuestRam,
        offset: u64,
        features: u64,
        mode: u64,
        mode_name: &str,
        how: Serve,
    ) -> Result<Self, Error> {
        let failed = |call: String| Error::Call {
            call,
            source: io::Error::last_os_error(),
        };
        // SAFETY: the only argument is a flag word. Reads do not block, so that
        // the thread can wait for two descriptors.
        let fd =
            unsafe { libc::syscall(libc::SYS_userfaultfd, libc::O_CLOEXEC | libc::O_NONBLOCK) };
        let fd = i32::try_from(fd).ok().filter(|fd| *fd >= 0);
        let fd = fd.ok_or_else(|| failed("userfaultfd(O_CLOEXEC|O_NONBLOCK)".into()))?;
        // SAFETY: a new descriptor that nothing else owns.
        let file = File::from(unsafe { OwnedFd::from_raw_fd(fd) });
        let mut api = uffd::uffdio_api {
            api: uffd::UFFD_API.into(),
            features,
            ioctls: 0,
        };
        // SAFETY: the structure is ours and of the type the call reads and writes.
        if unsafe { ioctl_with_mut_ref(&file, UFFDIO_API(), &mut api) } != 0 {
            return Err(failed(format!("UFFDIO_API(features={features:#x})")));
        }
        let start = ram.host_address().addr() as u64 + offset;
        let len = (ram.len() as u64).saturating_sub(offset);
        let mut register = uffd::uffdio_register {
            range: uffd::uffdio_range { start, len },
            mode,
            ioctls: 0,
        };
        // SAFETY: as above. The range is mapped by `ram`; a fault in it waits for
        // the thread below, which lives as long as the returned value.
        if unsafe { ioctl_with_mut_ref(&file, UFFDIO_REGISTER(), &mut register) } != 0 {
            return Err(failed(format!(
                "UFFDIO_REGISTER({mode_name}, len={len:#x})"
            )));
        }
        let served = Arc::new(AtomicU64::new(0));
        let stop = Arc::new(eventfd()?);
        let base = start - offset;
        let thread = std::thread::spawn({
            let (served, stop) = (served.clone(), stop.clone());
            move || handle(file, base, &how, &served, &stop)
        });
        Ok(Userfault {
            served,
            stop,
            thread: Some(thread),
        })
    }

    /// How many faults were served so far.
    pub fn served(&self) -> u64 {
        self.served.load(Ordering::Acquire)
    }
}

impl Drop for Userfault {
    fn drop(&mut self) {
        // A thread that cannot be told to stop has ended by itself.
        let _ = self.stop.write(1);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Serves faults until told to stop. When it returns, the descriptor is closed and
/// the range is an ordinary one again.
fn handle(
    mut file: File,
    base: u64,
    how: &Serve,
    served: &AtomicU64,
    stop: &EventFd,
) -> io::Result<()> {
    let zeroes = [0u8; PAGE as usize];
    loop {
        let mut wait = [file.as_raw_fd(), stop.as_raw_fd()].map(|fd| libc::pollfd {
            fd,
            events: libc::POLLIN,
            revents: 0,
        });
        // SAFETY: two structures of ours that live through the call.
        let ready = unsafe { libc::poll(wait.as_mut_ptr(), 2, -1) };
        if ready < 0 && io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            return Err(io::Error::last_os_error());
        }
        if wait[1].revents != 0 {
            return Ok(());
        }
        // struct uffd_msg: 32 bytes, the event in the first, the address of a page
        // fault in the third 64-bit word.
        let mut message = [0u8; 32];
        match file.read(&mut message) {
            Ok(32) if u32::from(message[0]) == uffd::UFFD_EVENT_PAGEFAULT => {}
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => continue,
            Ok(_) => continue,
            Err(e) => return Err(e),
        }
        let word = message[16..24].try_into().unwrap_or_default();
        let page = u64::from_ne_bytes(word) / PAGE * PAGE;
        // Counted before the guest goes on: when it is done, all are.
        served.fetch_add(1, Ordering::Release);
        let done = match how {
            Serve::Missing => copy(&file, page, &zeroes),
            Serve::Minor(view) => {
                view.touch(page - base);
                go_on(&file, page)
            }
        };
        match done {
            Ok(()) => {}
            // Two vCPUs may have waited for one page: the second finds it there.
            Err(e) if e.raw_os_error() == Some(libc::EEXIST) => {
                served.fetch_sub(1, Ordering::Release);
            }
            Err(e) => return Err(e),
        }
    }
}

fn copy(file: &File, page: u64, content: &[u8; PAGE as usize]) -> io::Result<()> {
    let mut copy = uffd::uffdio_copy {
        dst: page,
        src: content.as_ptr().expose_provenance() as u64,
        len: PAGE,
        mode: 0,
        copy: 0,
    };
    // SAFETY: `content` is a page that lives through the call; the destination is
    // in the registered range, where only missing pages are filled.
    match unsafe { ioctl_with_mut_ref(file, UFFDIO_COPY(), &mut copy) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

fn go_on(file: &File, page: u64) -> io::Result<()> {
    let mut go_on = uffd::uffdio_continue {
        range: uffd::uffdio_range {
            start: page,
            len: PAGE,
        },
        mode: 0,
        mapped: 0,
    };
    // SAFETY: the structure is ours; the call maps a page that the file has.
    match unsafe { ioctl_with_mut_ref(file, UFFDIO_CONTINUE(), &mut go_on) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
