// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What can go wrong in a machine.

use crate::{Exit, Registers};
use std::{io, time::Duration};

/// Why a machine could not be built or did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `/dev/kvm` cannot be used at all.
    #[error("/dev/kvm: {source}; {}", kvm_remedy(source))]
    NoKvm {
        /// What the kernel said.
        source: io::Error,
    },
    /// An ioctl failed.
    #[error("{call}: {source}")]
    Call {
        /// The call with its arguments.
        call: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// KVM does not take this memory for a memslot.
    #[error("{call}: {source}")]
    Memslot {
        /// The call with its arguments.
        call: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// A thread that ran a vCPU panicked.
    #[error("a vCPU thread panicked")]
    Thread,
    /// The strategy could not allocate memory.
    #[error(transparent)]
    Memory(strategies::Error),
    /// The configuration asks for what a machine cannot be.
    #[error("{0}")]
    Config(String),
    /// Guest memory could not be written where the layout says.
    #[error("loading the payload: {0}")]
    Load(String),
    /// A Linux kernel could not be loaded, or did not do what a boot is.
    #[error("{0}")]
    Kernel(String),
    /// KVM_RUN itself failed.
    #[error("KVM_RUN: {source}")]
    Run {
        /// What the kernel said.
        source: io::Error,
        /// Where the guest was.
        registers: Box<Registers>,
    },
    /// The guest did not answer in time and was stopped.
    #[error("the guest gave no answer within {} ms and was stopped", .after.as_millis())]
    Hung {
        /// The time it had.
        after: Duration,
        /// Where it was.
        registers: Box<Registers>,
    },
    /// The guest left in a way that nothing here asked for.
    #[error("unexpected exit from the guest: {exit}")]
    Exit {
        /// The exit.
        exit: Exit,
        /// Where the guest was.
        registers: Box<Registers>,
    },
    /// The payload panicked.
    #[error("the payload panicked at {file}:{line}: {message}")]
    Panicked {
        /// The source file.
        file: String,
        /// The line.
        line: u64,
        /// The message.
        message: String,
    },
    /// The payload does not speak this version of the contract.
    #[error(
        "the payload says magic {magic:#x}, version {version}; this is version {}",
        abi::VERSION
    )]
    Abi {
        /// Its magic word.
        magic: u64,
        /// Its version.
        version: u64,
    },
    /// The payload refused the request, or its reply makes no sense.
    #[error("{op:?} was not carried out: {why}")]
    Refused {
        /// The operation.
        op: abi::Op,
        /// The status, in words.
        why: String,
    },
}

impl Error {
    /// The registers at the time of the failure, if there were any.
    pub fn registers(&self) -> Option<&Registers> {
        match self {
            Error::Run { registers, .. }
            | Error::Hung { registers, .. }
            | Error::Exit { registers, .. } => Some(registers),
            _ => None,
        }
    }

    /// Whether KVM itself gave up on the guest (KVM_EXIT_INTERNAL_ERROR), as its
    /// instruction emulator does at an instruction that it lacks.
    pub fn is_internal(&self) -> bool {
        let internal = |exit: &Exit| matches!(exit, Exit::Internal { .. });
        matches!(self, Error::Exit { exit, .. } if internal(exit))
    }

    /// The kernel's errno, if a system call failed.
    pub fn errno(&self) -> Option<i32> {
        match self {
            Error::NoKvm { source }
            | Error::Call { source, .. }
            | Error::Memslot { source, .. }
            | Error::Run { source, .. } => source.raw_os_error(),
            Error::Memory(e) => e.source.raw_os_error(),
            _ => None,
        }
    }
}

fn kvm_remedy(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::NotFound => {
            "load kvm_intel or kvm_amd (and switch virtualisation on in the firmware), or use --on lab, which needs no KVM"
        }
        io::ErrorKind::PermissionDenied => {
            "join the group that owns it (sudo usermod -aG kvm $USER, then log in again), or use --on lab"
        }
        _ => "see the kernel log, or use --on lab, which needs no KVM",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever it gave up on, and whichever machine says so.
    #[test]
    fn a_kvm_that_gave_up_is_told_from_another_exit() {
        let check = |exit: Exit, said: &str, internal: bool| {
            let registers = Box::default();
            let error = Error::Exit { exit, registers };
            assert_eq!(
                error.to_string(),
                format!("unexpected exit from the guest: {said}")
            );
            assert_eq!(error.is_internal(), internal, "{said}");
        };
        let data = vec![0x1f, 2];
        let gave_up = Exit::Internal { suberror: 1, data };
        check(gave_up, "InternalError, suberror 1, data [1f, 2]", true);
        check(Exit::Shutdown, "SHUTDOWN (triple fault)", false);
        check(Exit::Other("InternalError".into()), "InternalError", false);
    }
}
