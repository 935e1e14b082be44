// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The machine that an experiment needs.

use crate::CellError;
use vmm::{Config, Cpl};

/// How large a machine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// How many vCPUs.
    pub cpus: u64,
    /// Bytes of memory.
    pub memory: u64,
}

/// What an experiment needs of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// How large it is.
    pub size: Size,
    /// Interrupt controllers in the kernel.
    pub irqchip: bool,
    /// Memory that guest and host share whatever the strategy.
    pub shared_memory: bool,
    /// What only x86-64 has: its instructions, ports or paravirtual clocks.
    pub x86_64: bool,
}

impl Needs {
    /// A machine of `size`, on any architecture, with nothing else.
    pub fn of(size: Size) -> Self {
        Needs {
            size,
            irqchip: false,
            shared_memory: false,
            x86_64: false,
        }
    }

    /// The same on x86-64 only.
    pub fn on_x86_64(self) -> Self {
        Needs {
            x86_64: true,
            ..self
        }
    }

    /// The same, with interrupt controllers in the kernel if `irqchip`.
    pub fn with_irqchip(self, irqchip: bool) -> Self {
        Needs { irqchip, ..self }
    }

    /// Checks that this program was built for an architecture that has it.
    pub(crate) fn check(self) -> Result<(), CellError> {
        match self.x86_64 && cfg!(not(target_arch = "x86_64")) {
            false => Ok(()),
            true => Err(CellError::missing(
                "this path exists on x86-64 only",
                "a machine with an x86-64 processor",
            )),
        }
    }

    /// The machine's configuration.
    pub(crate) fn config(self) -> Config {
        Config {
            vcpus: self.size.cpus,
            memory: self.size.memory,
            cpl: Cpl::User,
            irqchip: self.irqchip,
            shared_memory: self.shared_memory,
            limit: crate::guard::ANSWER_LIMIT,
        }
    }
}
