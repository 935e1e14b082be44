// SPDX-License-Identifier: Apache-2.0 OR MIT
//! From ticks of the time-stamp counter to the unit of a testbed.

use results::{
    Outcome, Unit,
    record::{Counters, Samples},
};
use std::collections::BTreeMap;

/// What a tick is worth.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scale {
    /// One tick is one instruction.
    Instructions,
    /// This many thousand ticks a second.
    Khz(u64),
}

impl Scale {
    /// An outcome of `samples` in ticks. `batch` is the operations in one sample of a
    /// series, where it is not 1.
    pub(crate) fn outcome(
        self,
        mut samples: Samples,
        mut batch: BTreeMap<String, u64>,
        counters: Counters,
    ) -> Outcome {
        let unit = match self {
            Scale::Instructions => Unit::Insn,
            Scale::Khz(_) => Unit::Ns,
        };
        for ticks in samples.values_mut().flatten() {
            *ticks = self.convert(*ticks);
        }
        batch.retain(|_, n| *n != 1);
        Outcome::Measured {
            unit,
            samples,
            batch,
            counters,
            unavailable: BTreeMap::new(),
        }
    }

    /// So many nanoseconds in ticks; of the lab's clock, whose tick is one.
    pub(crate) fn ticks(self, ns: u64) -> u64 {
        match self {
            Scale::Instructions => ns,
            Scale::Khz(khz) => {
                let ticks = u128::from(ns) * u128::from(khz) / 1_000_000;
                u64::try_from(ticks).unwrap_or(u64::MAX)
            }
        }
    }

    fn convert(self, ticks: u64) -> u64 {
        match self {
            Scale::Instructions => ticks,
            Scale::Khz(khz) => {
                let khz = u128::from(khz.max(1));
                let ns = (u128::from(ticks) * 1_000_000 + khz / 2) / khz;
                u64::try_from(ns).unwrap_or(u64::MAX)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_become_nanoseconds_to_the_nearest() {
        let check = |khz, ticks, ns| assert_eq!(Scale::Khz(khz).convert(ticks), ns);
        check(1_000_000, 7, 7);
        check(2_600_000, 26, 10);
        check(2_600_000, 27, 10);
        check(2_600_000, 28, 11);
        check(2_600_000, u64::MAX, 7_094_901_566_811_366_006);
        check(0, 5, 5_000_000);
        assert_eq!(Scale::Instructions.convert(4858), 4858);
        assert_eq!(Scale::Khz(2_600_000).ticks(10), 26);
        assert_eq!(Scale::Instructions.ticks(10), 10);
    }
}
