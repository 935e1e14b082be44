// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Names of figures that are unique in a run: those of the files, and those by which
//! a page names the files.

use std::collections::BTreeSet;

/// The names that are taken.
#[derive(Default)]
pub(crate) struct Names(BTreeSet<String>);

impl Names {
    /// `name`, with a number behind it if it is taken.
    pub(crate) fn claim(&mut self, name: &str) -> String {
        let mut claimed = name.to_string();
        let mut n = 1;
        while !self.0.insert(claimed.clone()) {
            n += 1;
            claimed = format!("{name}-{n}");
        }
        claimed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_given_once() {
        let mut names = Names::default();
        let claimed = ["a", "a", "a-2", "b", "a"].map(|name| names.claim(name));
        assert_eq!(claimed, ["a", "a-2", "a-2-2", "b", "a-3"]);
    }
}
