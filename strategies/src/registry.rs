// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Every strategy, in the order in which reports show them.

use crate::{
    Strategy, anon, guest_memfd, guest_memfd_reinsert, guest_memfd_unmapped, memfd, memfd_secret,
};

/// The registry. Adding a strategy is its file and a line here.
pub static ALL: &[&Strategy] = &[
    &anon::ANON,
    &memfd::MEMFD,
    &memfd::MEMFD_THP,
    &memfd_secret::MEMFD_SECRET,
    &guest_memfd::GUEST_MEMFD,
    &guest_memfd_unmapped::GUEST_MEMFD_UNMAPPED,
    &guest_memfd_reinsert::GUEST_MEMFD_REINSERT,
];

/// The strategy called `name`.
pub fn find(name: &str) -> Option<&'static Strategy> {
    ALL.iter().find(|s| s.name == name).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Arm;

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
        let memfd = find("memfd").unwrap();
        let arms = Arm::all(find("guest-memfd-reinsert").unwrap());
        assert_eq!(arms.len(), 6);
        assert!(arms[0].mode().is_default());
        for arm in arms {
            let params = arm.mode().params();
            assert_eq!(Arm::new(arm.strategy(), &params), Ok(arm));
            assert_eq!(Arm::new(memfd, &params).is_ok(), params.is_empty());
        }
        assert!(find("memfd").is_some() && find("").is_none());
    }
}
