// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `memfd-secret`: memfd_secret(2) takes each page out of the direct map when
//! it is first touched. GUP refuses such pages, also to KVM, so that
//! a stock kernel fails the first KVM_RUN that needs one.

// UNSAFETY: memfd_secret has no wrapper; resource limits are C structures.
#![expect(unsafe_code)]

use crate::{Claims, Error, GuestRam, Mode, PageSize, Refusal, Stage, Strategy, mapping::Mapping};
use results::{Missing, audit::Claim};
use std::{
    fs::File,
    io,
    os::fd::{AsFd, FromRawFd, OwnedFd},
};

pub(crate) static MEMFD_SECRET: Strategy = Strategy {
    name: "memfd-secret",
    about: "memfd_secret, 4 KiB pages; direct map removed; KVM uses the user mapping, pfn caches reinsert",
    differs_from: Some("memfd"),
    page_size: PageSize::Base,
    parameters: &[],
    refuse: Strategy::ANY_MODE,
    claims: |_| Claims {
        claim: Claim::Hidden,
        ..Claims::ORDINARY
    },
    allocate: |_, len, _| allocate(len),
    explain,
};

fn explain(_: &Mode, refusal: &Refusal) -> Missing {
    let seen = &refusal.seen;
    match (refusal.stage, refusal.errno) {
        (Stage::Run, Some(libc::EFAULT)) => Missing::new(
            "KVM cannot map memfd_secret on this kernel (KVM_RUN: EFAULT; GUP refuses it)",
            "needs the lab kernel",
        ),
        (Stage::Allocate, Some(libc::ENOSYS)) => Missing::new(
            format!("this kernel has no memfd_secret ({seen})"),
            "a kernel with CONFIG_SECRETMEM=y that was not booted with secretmem.enable=0",
        ),
        (Stage::Allocate, Some(libc::EPERM | libc::EAGAIN | libc::ENOMEM)) => Missing::new(
            format!("not enough lockable memory ({seen})"),
            "raise the limit (ulimit -l unlimited) or run as root",
        ),
        _ => Missing::new(seen.clone(), "needs the lab kernel"),
    }
}

fn allocate(len: u64) -> Result<GuestRam, Error> {
    // The kernel counts the mapping against RLIMIT_MEMLOCK, even for root.
    raise_memlock(len)?;
    // SAFETY: the only argument is a flag word.
    let fd = unsafe { libc::syscall(libc::SYS_memfd_secret, libc::O_CLOEXEC) };
    let fd = i32::try_from(fd).ok().filter(|fd| *fd >= 0);
    let fd = fd.ok_or_else(|| Error::last("memfd_secret(flags=O_CLOEXEC)"))?;
    // SAFETY: a new descriptor that nothing else owns.
    let file = File::from(unsafe { OwnedFd::from_raw_fd(fd) });
    file.set_len(len)
        .map_err(|e| Error::new(format!("ftruncate(memfd_secret, {len:#x})"), e))?;
    let mapping = Mapping::shared(file.as_fd(), len)?;
    Ok(GuestRam::mapped(mapping, file))
}

/// Makes RLIMIT_MEMLOCK at least `need` bytes.
fn raise_memlock(need: u64) -> Result<(), Error> {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the structure is ours and of the type the call fills.
    if unsafe { libc::getrlimit(libc::RLIMIT_MEMLOCK, &mut limit) } != 0 {
        return Err(Error::last("getrlimit(RLIMIT_MEMLOCK)"));
    }
    if limit.rlim_cur >= need {
        return Ok(());
    }
    let raised = libc::rlimit {
        rlim_cur: need.max(limit.rlim_cur),
        rlim_max: need.max(limit.rlim_max),
    };
    // SAFETY: the structure lives through the call, which only reads it.
    if unsafe { libc::setrlimit(libc::RLIMIT_MEMLOCK, &raised) } == 0 {
        return Ok(());
    }
    let call = format!("setrlimit(RLIMIT_MEMLOCK, {need})");
    let kib = need.div_ceil(1024);
    Err(Error::new(call, io::Error::last_os_error()).hint(format!(
        "the limit is {} bytes: run `ulimit -l {kib}` as root, or set `memlock` in limits.conf",
        limit.rlim_max
    )))
}
