// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Every testbed, in the order in which a run goes through them.

use super::{Kind, TestbedInstance, Wanted, fake, host, lab};
use crate::exit::Failure;
use results::Testbed;

/// Every testbed.
pub static ALL: [Kind; 3] = [host::KIND, lab::KIND, fake::KIND];

/// What there is of `testbed` on this machine.
///
/// # Errors
/// Why there is nothing.
pub fn instances(testbed: Testbed, wanted: &Wanted<'_>) -> Result<Vec<TestbedInstance>, Failure> {
    let kind = ALL.iter().find(|kind| kind.testbed == testbed);
    let unknown = || Failure::Usage(format!("this program has no testbed {testbed}"));
    (kind.ok_or_else(unknown)?.open)(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_testbed_is_there_once() {
        let names: BTreeSet<_> = ALL.iter().map(|kind| kind.testbed.name()).collect();
        assert_eq!(names.len(), ALL.len());
        assert!(ALL.iter().any(|kind| kind.real) && ALL.iter().any(|kind| !kind.real));
    }
}
