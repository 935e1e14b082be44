// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Every strategy, in the order in which reports show them.

use crate::{Strategy, anon, guest_memfd, memfd, memfd_secret};

/// The registry. Adding a strategy is its file and a line here.
pub static ALL: &[&Strategy] = &[
    &anon::ANON,
    &memfd::MEMFD,
    &memfd::MEMFD_THP,
    &memfd_secret::MEMFD_SECRET,
    &guest_memfd::GUEST_MEMFD,
];

/// The strategy called `name`.
pub fn find(name: &str) -> Option<&'static Strategy> {
    ALL.iter().find(|s| s.name == name).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_plain() {
        for (i, s) in ALL.iter().enumerate() {
            assert!(
                s.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'),
                "{}",
                s.name
            );
            assert!(
                ALL[..i].iter().all(|t| t.name != s.name),
                "{} twice",
                s.name
            );
            assert!(std::ptr::eq(find(s.name).unwrap(), *s));
        }
        assert!(find("memfd").is_some() && find("").is_none());
    }
}
