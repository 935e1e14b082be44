// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What may be missing, for which reason and on which machines. Whatever else is missing
//! is a failure: a test that skips for any reason would pass for any reason.

use libtest_mimic::{Completion, Failed};
use results::{BASELINE, audit::Claim};
use rustix::{process::geteuid, system::uname};
use std::{fs, path::Path};
use strategies::{PageSize, Strategy, registry};

/// What a machine or a strategy's memory is like.
#[derive(Clone, Copy, Debug)]
enum When {
    /// Any: the test itself leaves something out.
    Always,
    /// KVM without hardware to help it, which emulates CPL0 and shadows page tables.
    SoftwareKvm,
    /// The kernel is older than this version.
    Older(u32, u32),
    /// This process is not root's.
    Unprivileged,
    /// This process may use one CPU.
    OneCpu,
    /// There is no such file.
    Without(&'static str),
    /// A setting is not this value.
    Unless(&'static str, &'static str),
    /// A setting has none of these values chosen, which stand in brackets.
    NotChosen(&'static str, &'static [&'static str]),
    /// The memory is hidden from the host kernel.
    Hidden,
    /// The memory is in huge pages.
    Huge,
    /// The memory is not the baseline's, which everything can use.
    NotBaseline,
}

/// A workload's family or name, a part of the reason, and when that is expected.
const WORKLOADS: [(&str, &str, When); 17] = [
    (
        "boot/linux",
        "there is no kernel for the guest",
        When::Always,
    ),
    (
        "exit/",
        "this KVM did not see the guest's",
        When::SoftwareKvm,
    ),
    ("fault/populate", "KVM_PRE_FAULT_MEMORY(", When::SoftwareKvm),
    (
        "fault/populate",
        "KVM_PRE_FAULT_MEMORY(",
        When::Older(6, 11),
    ),
    ("fault/populate", "MADV_POPULATE_WRITE", When::Hidden),
    ("fault/populate", "pwrite(len=", When::NotBaseline),
    ("fault/populate", "huge pages", When::Huge),
    ("fault/refault", "takes no holes", When::Hidden),
    ("teardown/punch-hole", "takes no holes", When::Hidden),
    (
        "fault/userfaultfd",
        "cannot serve this memory",
        When::NotBaseline,
    ),
    (
        "fault/userfaultfd",
        "Operation not permitted",
        When::Unprivileged,
    ),
    (
        "virtio/",
        "did not deliver the interrupt of an irqfd",
        When::SoftwareKvm,
    ),
    (
        "virtio/net-loop",
        "/dev/vhost-net",
        When::Without("/dev/vhost-net"),
    ),
    (
        "virtio/net-loop",
        "Operation not permitted",
        When::Unprivileged,
    ),
    ("virtio/", "does not pin this memory", When::Hidden),
    (
        "virtio/",
        "io_uring is not available",
        When::Unless("/proc/sys/kernel/io_uring_disabled", "0"),
    ),
    ("", "CPU", When::OneCpu),
];

/// Strategies as a whole, by what they claim or promise.
const STRATEGIES: [(When, When); 3] = [
    // A stock kernel's KVM cannot use memory without a direct map.
    (When::Hidden, When::Always),
    (
        When::Huge,
        When::NotChosen(
            "/sys/kernel/mm/transparent_hugepage/shmem_enabled",
            &["[always]", "[advise]", "[within_size]", "[force]"],
        ),
    ),
    // guest_memfd that can be mapped.
    (When::NotBaseline, When::Older(6, 18)),
];

/// Whether cells of `workload` may be missing on `strategy` here for this reason.
pub(super) fn of_workload(strategy: &'static Strategy, workload: &str, reason: &str) -> bool {
    WORKLOADS.iter().any(|(of, part, when)| {
        workload.starts_with(of) && reason.contains(part) && when.holds(strategy)
    })
}

/// Whether `strategy` may be missing here.
pub(crate) fn of_strategy(strategy: &'static Strategy) -> bool {
    let mut all = STRATEGIES.iter();
    all.any(|(which, when)| which.holds(strategy) && when.holds(strategy))
}

/// Only the reasons above are one, each for its own workloads and strategies.
pub(super) fn named() -> Result<Completion, Failed> {
    let memfd = registry::find(BASELINE).ok_or("no baseline")?;
    for (workload, reason, expected) in [
        ("boot/linux", "there is no kernel for the guest", true),
        ("boot/linux", "whatever", false),
        (
            "fault/guest-touch",
            "there is no kernel for the guest",
            false,
        ),
        ("fault/refault", "this memory takes no holes", false),
        ("fault/populate", "pwrite(len=0x1000): Illegal seek", false),
    ] {
        assert_eq!(
            of_workload(memfd, workload, reason),
            expected,
            "{workload}: {reason}"
        );
    }
    assert!(!of_strategy(memfd));
    Ok(Completion::Completed)
}

impl When {
    fn holds(self, strategy: &'static Strategy) -> bool {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        match self {
            When::Always => true,
            When::SoftwareKvm => Path::new("/sys/module/kvm_pvm").exists(),
            When::Older(major, minor) => version() < (major, minor),
            When::Unprivileged => !geteuid().is_root(),
            When::OneCpu => vmm::virtio::cpus().is_ok_and(|cpus| cpus.len() == 1),
            When::Without(path) => !Path::new(path).exists(),
            When::Unless(path, value) => read(path).trim() != value,
            When::NotChosen(path, values) => {
                let text = read(path);
                !values.iter().any(|value| text.contains(value))
            }
            When::Hidden => strategy.claims().claim != Claim::Mapped,
            When::Huge => strategy.page_size == PageSize::Huge,
            When::NotBaseline => strategy.name != BASELINE,
        }
    }
}

/// The kernel's version, major and minor.
fn version() -> (u32, u32) {
    let release = uname();
    let release = release.release().to_string_lossy();
    let mut numbers = release.split('.').map(|n| n.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}
