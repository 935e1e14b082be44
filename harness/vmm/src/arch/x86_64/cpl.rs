// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Privilege levels.

/// The privilege level of the payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cpl {
    /// CPL3 with IOPL 3: native on hardware and on a software KVM.
    #[default]
    User,
    /// CPL0: on a software KVM every instruction is emulated. For tests of the
    /// calibration that refuses such a guest.
    Kernel,
}

impl Cpl {
    /// As a number.
    pub(super) fn level(self) -> u8 {
        match self {
            Cpl::User => 3,
            Cpl::Kernel => 0,
        }
    }
}
