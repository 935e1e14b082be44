// SPDX-License-Identifier: Apache-2.0 OR MIT
//! This machine's own KVM.

use super::{Kind, Process, TestbedInstance, Wanted};
use crate::exit::Failure;
use results::Testbed;

/// This machine.
pub(super) const KIND: Kind = Kind {
    testbed: Testbed::Host,
    about: "This machine's /dev/kvm",
    real: true,
    open,
};

fn open(_: &Wanted<'_>) -> Result<Vec<TestbedInstance>, Failure> {
    vmm::open_kvm().map_err(|e| Failure::Unfit(e.to_string()))?;
    let process = Process::of_this_program();
    let process = process.map_err(|e| Failure::usage(format!("this program's own path: {e}")))?;
    Ok(vec![TestbedInstance::of(Testbed::Host, process)])
}
