// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The tiny VMM: a [`Machine`] of one memory, a few vCPUs and one test device,
//! made for running the payload and for nothing else.
//!
//! What it does between two exits is all that it adds to a measurement, so the
//! run loop matches on the exit and returns to KVM_RUN: no lock, no allocation,
//! no log. Everything the guest says is checked before it is used.

mod call;
mod error;
mod exit;
mod lock;

mod arch;

mod deadline;
mod device;
mod memory;
mod model_counts;
mod vcpu;

pub mod clock;
pub mod stats;

pub mod linux;
pub mod virtio;

mod machine;

mod eventfd;
mod prefault;
mod userfault;

pub use arch::{Cpl, Registers};
pub use call::open_kvm;
pub use device::{AtPortRead, Device};
pub use error::Error;
pub use eventfd::Ioeventfd;
pub use exit::Exit;
pub use lock::lock;
pub use machine::{Config, Machine, Phases};
pub use memory::{Memory, Region};
pub use model_counts::ModelCounts;
pub use userfault::Userfault;
pub use vcpu::{Event, Vcpu};

pub use kvm_ioctls::{Kvm, VmFd};
