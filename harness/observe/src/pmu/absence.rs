// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Why something was not counted, and what would change it.

use std::{fmt, io};

/// Why there is no count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Absence {
    /// The kernel has no PMU of this processor.
    NoPmu,
    /// perf_event_open(2) failed.
    Refused {
        /// By which error.
        errno: i32,
        /// What kernel.perf_event_paranoid was, if there is such a thing.
        paranoid: Option<i64>,
    },
    /// A counter that was open could not be used.
    Broken(String),
    /// All counters of the processor were taken by what is counted first.
    Full,
    /// It was on the PMU for a part of the time only.
    Partial {
        /// How much of it.
        percent: u64,
    },
    /// The sanity check got other counts than misses of a TLB can be.
    Implausible {
        /// How many misses a chase far beyond every TLB's reach had.
        far: u64,
        /// How many the same number of loads within its reach had.
        near: u64,
        /// How many loads that were, each.
        loads: u64,
    },
    /// The memory for the sanity check could not be had.
    NoMemory(String),
    /// A guest ran, and the counters for guests saw nothing.
    Mixed,
}

impl Absence {
    /// Why a counter could not be opened.
    pub fn refused(error: &io::Error, paranoid: Option<i64>) -> Self {
        match error.raw_os_error() {
            Some(errno) => Absence::Refused { errno, paranoid },
            None => Absence::Broken(error.to_string()),
        }
    }

    /// Why an open counter could not be read: one that found no place ends at once.
    pub fn unread(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Absence::Full,
            _ => Absence::Broken(error.to_string()),
        }
    }
}

impl fmt::Display for Absence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Absence::NoPmu => write!(
                f,
                "no hardware PMU exposed; run on hardware, or give this virtual machine one (QEMU: -cpu host,pmu=on)"
            ),
            Absence::Refused { errno, paranoid } => {
                let error = io::Error::from_raw_os_error(*errno);
                write!(f, "perf_event_open: {error}; ")?;
                why(*errno, *paranoid, f)
            }
            Absence::Broken(what) => write!(f, "{what}"),
            Absence::Full => write!(
                f,
                "the processor has no counter left for it; sysctl kernel.nmi_watchdog=0 and ending other users of perf frees some"
            ),
            Absence::Partial { percent } => write!(
                f,
                "multiplexed: on the PMU for {percent} % of the time, and not scaled; end other users of perf, and on a hybrid processor pin to cores of one kind (taskset)"
            ),
            Absence::Implausible { far, near, loads } => write!(
                f,
                "the counter is not to be trusted: {far} misses in {loads} loads beyond the reach of every TLB, {near} in as many within it; run on hardware, or add this model's event to harness/observe/src/pmu/event.rs"
            ),
            Absence::NoMemory(what) => write!(f, "no memory to check the counters by: {what}"),
            Absence::Mixed => write!(
                f,
                "the guest ran and no guest's instruction was counted: this KVM does not tell guest from host for the PMU; run on hardware with kvm_intel or kvm_amd"
            ),
        }
    }
}

/// What each error means (perf_event_open(2), ERRORS), and the remedy.
fn why(errno: i32, paranoid: Option<i64>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match errno {
        libc::EACCES | libc::EPERM => {
            match paranoid {
                Some(level) => write!(f, "kernel.perf_event_paranoid is {level}")?,
                None => write!(f, "this process may not count in the kernel")?,
            }
            write!(
                f,
                "; sysctl kernel.perf_event_paranoid=1, or the capability CAP_PERFMON (in a container, also a seccomp profile that allows the call)"
            )
        }
        libc::EOPNOTSUPP => write!(
            f,
            "another virtual machine has the PMU for itself (a mediated vPMU), or it cannot tell guest from host; end that machine, or reload kvm_intel or kvm_amd with enable_mediated_pmu=0"
        ),
        libc::ENOENT | libc::EINVAL => write!(
            f,
            "the kernel or the processor does not have this event; a newer kernel may, or add this model's event to harness/observe/src/pmu/event.rs"
        ),
        libc::ENOSYS => write!(
            f,
            "a kernel without perf events; use one with CONFIG_PERF_EVENTS=y"
        ),
        libc::EMFILE | libc::ENFILE => write!(f, "too many open files; raise ulimit -n"),
        libc::EBUSY => write!(f, "another user of perf has the PMU for itself; end it"),
        _ => write!(f, "see perf_event_open(2)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_says_what_to_do() {
        let check = |errno, paranoid, parts: &[&str]| {
            let error = io::Error::from_raw_os_error(errno);
            let text = Absence::refused(&error, paranoid).to_string();
            for part in parts {
                assert!(text.contains(part), "{errno}: {text} without {part}");
            }
            assert_eq!(text.lines().count(), 1, "{text}");
        };
        let level = [
            "paranoid is 4",
            "kernel.perf_event_paranoid=1",
            "CAP_PERFMON",
        ];
        check(libc::EACCES, Some(4), &level);
        check(libc::EPERM, None, &["may not", "CAP_PERFMON"]);
        check(
            libc::EOPNOTSUPP,
            Some(1),
            &["mediated vPMU", "enable_mediated_pmu=0"],
        );
        check(libc::ENOENT, Some(1), &["does not have this event"]);
        check(libc::EINVAL, Some(1), &["does not have this event"]);
        check(libc::ENOSYS, None, &["CONFIG_PERF_EVENTS=y"]);
        check(libc::EMFILE, Some(1), &["ulimit -n"]);
        check(libc::EBUSY, Some(1), &["another user of perf"]);
        check(libc::EFAULT, Some(1), &["perf_event_open(2)"]);
        let told = Absence::NoPmu.to_string();
        assert!(told.starts_with("no hardware PMU exposed; "), "{told}");
    }

    #[test]
    fn a_read_that_ends_at_once_means_that_there_was_no_place() {
        let eof = io::Error::from(io::ErrorKind::UnexpectedEof);
        assert_eq!(Absence::unread(&eof), Absence::Full);
        let other = io::Error::from_raw_os_error(libc::EIO);
        assert!(matches!(Absence::unread(&other), Absence::Broken(_)));
    }
}
