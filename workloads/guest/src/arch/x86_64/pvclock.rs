// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Reading kvm-clock, as Documentation/virt/kvm/x86/msr.rst describes the page
//! at MSR_KVM_SYSTEM_TIME_NEW (little endian):
//!
//! | byte | size | field |
//! |---|---|---|
//! | 0 | 4 | version: odd while KVM writes |
//! | 8 | 8 | tsc_timestamp |
//! | 16 | 8 | system_time, ns |
//! | 24 | 4 | tsc_to_system_mul |
//! | 28 | 1 | tsc_shift, signed |
//! | 29 | 1 | flags |

use crate::memory::Words;

/// The words of the structure.
pub const WORDS: u64 = 4;

/// One consistent copy of the structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    version: u32,
    tsc_timestamp: u64,
    system_time: u64,
    mul: u32,
    shift: i8,
}

impl Snapshot {
    /// Reads the structure; retries while KVM is writing it.
    #[inline(always)]
    pub fn read(page: &Words) -> Self {
        loop {
            let version = page.get(0) as u32;
            let tsc_timestamp = page.get(1);
            let system_time = page.get(2);
            let scale = page.get(3);
            if version & 1 == 0 && page.get(0) as u32 == version {
                return Snapshot {
                    version,
                    tsc_timestamp,
                    system_time,
                    mul: scale as u32,
                    shift: (scale >> 32) as u8 as i8,
                };
            }
        }
    }

    /// The update count that KVM keeps: even, and larger by two after a rewrite.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The clock at TSC value `tsc`, nanoseconds. The formula is that of the
    /// document named above.
    #[inline(always)]
    pub fn at(&self, tsc: u64) -> u64 {
        let delta = tsc.wrapping_sub(self.tsc_timestamp);
        let delta = match self.shift {
            s @ 0.. => delta.wrapping_shl(s as u32),
            s => delta.wrapping_shr(s.unsigned_abs().into()),
        };
        let scaled = (u128::from(delta) * u128::from(self.mul)) >> 32;
        self.system_time.wrapping_add(scaled as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(mul: u32, shift: i8) -> Snapshot {
        Snapshot {
            version: 2,
            tsc_timestamp: 1000,
            system_time: 50,
            mul,
            shift,
        }
    }

    #[test]
    fn scales_as_documented() {
        let check = |mul, shift, tsc, expected| assert_eq!(snapshot(mul, shift).at(tsc), expected);
        // A factor of one half, unshifted, doubled, halved.
        check(1 << 31, 0, 1000, 50);
        check(1 << 31, 0, 3000, 50 + 1000);
        check(1 << 31, 1, 3000, 50 + 2000);
        check(1 << 31, -1, 3000, 50 + 500);
        // 2.6 GHz over an hour: the product needs more than 64 bits.
        let hour = 2_600_000_000u64 * 3600;
        let mul = ((1u128 << 32) * 10 / 26) as u32;
        let read = snapshot(mul, 0).at(1000 + hour);
        assert!(read.abs_diff(3_600_000_000_000) < 2000, "{read}");
    }
}
