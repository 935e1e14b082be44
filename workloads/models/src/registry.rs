// SPDX-License-Identifier: Apache-2.0 OR MIT
//! All models.

use crate::{Model, model};

/// Every model, in the order of their files.
pub fn all() -> impl Iterator<Item = &'static Model> {
    model::ALL.iter().copied().flatten()
}

/// The model called `name`.
pub fn find(name: &str) -> Option<&'static Model> {
    all().find(|model| model.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_found() {
        let names: BTreeSet<_> = all().map(|model| model.name).collect();
        assert_eq!(names.len(), all().count());
        assert!(names.iter().all(|name| find(name).is_some()));
        assert_eq!(find("mmio-reed"), None);
    }
}
