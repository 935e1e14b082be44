// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The tiny VMM: a [`Machine`] of one memory, a few vCPUs and one test device,
//! made for running the payload and for nothing else.
//!
//! What it does between two exits is all that it adds to a measurement, so the
//! run loop matches on the exit and returns to KVM_RUN: no lock, no allocation,
//! no log. Everything the guest says is checked before it is used.

mod call;
mod error;
mod registers;

mod cpl;
mod deadline;
mod device;
mod marker;
mod memory;
mod paging;
mod vcpu;

pub mod clock;
pub mod stats;

pub mod linux;
pub mod virtio;

mod machine;

mod irqchip;
mod prefault;
mod userfault;

pub use call::open_kvm;
pub use cpl::Cpl;
pub use device::{Device, Then};
pub use error::Error;
pub use irqchip::Ioeventfd;
pub use machine::{Config, Machine, Phases};
pub use marker::ModelCounts;
pub use memory::{Memory, Region};
pub use registers::Registers;
pub use userfault::Userfault;
pub use vcpu::{Event, Vcpu};

pub use kvm_ioctls::{Kvm, VmFd};
