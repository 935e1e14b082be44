// SPDX-License-Identifier: Apache-2.0 OR MIT
//! KVM's binary statistics: exact, noise-free evidence of which path was taken.
//!
//! The format is that of KVM_GET_STATS_FD (KVM API documentation, 4.133): a
//! header, an array of descriptors, an array of 64-bit values. kvm-ioctls does
//! not offer the call.

// UNSAFETY: an ioctl that returns a descriptor.
#![expect(unsafe_code)]

use crate::Error;
use kvm_ioctls::{VcpuFd, VmFd};
use std::{
    collections::BTreeMap,
    fs::File,
    io,
    os::{
        fd::{AsRawFd, FromRawFd, OwnedFd},
        unix::fs::FileExt,
    },
};
use vmm_sys_util::ioctl::ioctl;

/// `_IO(KVMIO, 0xce)` of include/uapi/linux/kvm.h.
const KVM_GET_STATS_FD: libc::c_ulong = 0xaece;

/// Statistics by the kernel's name for them.
pub type Stats = BTreeMap<String, u64>;

/// The statistics of one VM or vCPU.
#[derive(Debug)]
pub struct StatsFd {
    file: File,
    values: Vec<(String, u64)>,
}

/// The longest table that is read: Linux has some 60 entries of 48+16 bytes.
const LIMIT: u32 = 4096;

impl StatsFd {
    /// Opens the statistics of `owner`, a VM or a vCPU, and reads their names.
    ///
    /// # Errors
    /// [`Error::Call`] if the kernel has none (before 5.14) or they cannot be read.
    pub fn of(owner: &impl AsRawFd) -> Result<Self, Error> {
        let failed = |source| Error::Call {
            call: "KVM_GET_STATS_FD".into(),
            source,
        };
        // SAFETY: the request takes no argument; the result is checked.
        let fd = unsafe { ioctl(owner, KVM_GET_STATS_FD) };
        if fd < 0 {
            return Err(failed(io::Error::last_os_error()));
        }
        // SAFETY: a new descriptor that nothing else owns.
        let file = File::from(unsafe { OwnedFd::from_raw_fd(fd) });
        let values = descriptors(&file).map_err(failed)?;
        Ok(StatsFd { file, values })
    }

    /// All values now. Of a statistic that is an array (a histogram), nothing.
    ///
    /// # Errors
    /// [`Error::Call`] if they cannot be read.
    pub fn read(&self) -> Result<Stats, Error> {
        let read = |(name, offset): &(String, u64)| {
            let mut word = [0; 8];
            self.file.read_exact_at(&mut word, *offset)?;
            Ok((name.clone(), u64::from_ne_bytes(word)))
        };
        self.values
            .iter()
            .map(read)
            .collect::<io::Result<_>>()
            .map_err(|source| Error::Call {
                call: "pread(KVM statistics)".into(),
                source,
            })
    }
}

/// The statistics of `vm`, then those of all `vcpus` added up.
///
/// # Errors
/// As [`StatsFd::of`].
pub(crate) fn of_all<'a>(
    vm: &VmFd,
    vcpus: impl Iterator<Item = &'a VcpuFd>,
) -> Result<Stats, Error> {
    let mut all = StatsFd::of(vm)?.read()?;
    for vcpu in vcpus {
        for (name, value) in StatsFd::of(vcpu)?.read()? {
            *all.entry(name).or_insert(0) += value;
        }
    }
    Ok(all)
}

/// The names of all single-value statistics and where their values are.
fn descriptors(file: &File) -> io::Result<Vec<(String, u64)>> {
    let mut header = [0; 24];
    file.read_exact_at(&mut header, 0)?;
    let [_flags, name_size, count, _id, desc_at, data_at] = words(&header);
    if name_size > LIMIT || count > LIMIT {
        return Err(io::Error::other("a header that makes no sense"));
    }
    let size = 16 + name_size as usize;
    let mut table = vec![0; size * count as usize];
    file.read_exact_at(&mut table, desc_at.into())?;
    let entry = |desc: &[u8]| {
        let [_flags, packed, offset, _bucket] = words(desc);
        // exponent in the low half, number of values in the high half
        let values = packed >> 16;
        let name = desc[16..].split(|b| *b == 0).next().unwrap_or_default();
        let name = String::from_utf8_lossy(name).into_owned();
        (values == 1).then(|| (name, u64::from(data_at) + u64::from(offset)))
    };
    Ok(table.chunks_exact(size).filter_map(entry).collect())
}

/// The first `N` 32-bit words of `bytes`.
fn words<const N: usize>(bytes: &[u8]) -> [u32; N] {
    std::array::from_fn(|i| {
        let word = bytes.get(i * 4..i * 4 + 4).and_then(|b| b.try_into().ok());
        u32::from_ne_bytes(word.unwrap_or_default())
    })
}

/// What grew from `before` to `after`, and by how much. A gauge that fell has
/// not grown and is left out.
pub fn growth(before: &Stats, after: &Stats) -> Stats {
    let grown = |(name, now): (&String, &u64)| {
        let then = before.get(name).copied().unwrap_or(0);
        (*now > then).then(|| (name.clone(), now - then))
    };
    after.iter().filter_map(grown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_names_only_what_grew() {
        let of = |pairs: &[(&str, u64)]| pairs.iter().map(|(k, v)| (k.to_string(), *v)).collect();
        let before: Stats = of(&[("exits", 5), ("pages_4k", 9), ("same", 1)]);
        let after: Stats = of(&[("exits", 8), ("pages_4k", 2), ("same", 1), ("new", 3)]);
        assert_eq!(growth(&before, &after), of(&[("exits", 3), ("new", 3)]));
    }
}
