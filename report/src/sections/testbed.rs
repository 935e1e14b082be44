// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Whether a testbed is hardware, and what its numbers are not.

use super::said::Said;
use crate::{
    model::{Bed, Model},
    prose,
};

/// What a testbed is.
pub(super) fn answer(model: &Model<'_>, bed: &Bed<'_>, _: &[&str]) -> Said {
    let mut sentences = vec![format!("It counts {}.", prose::about(bed.testbed))];
    sentences.extend(prose::unit_cautions(model.run, bed.testbed));
    let facts = prose::machine(model.run, bed.testbed);
    sentences.extend((!facts.is_empty()).then(|| facts.join("; ") + "."));
    Said {
        sentences,
        ..Said::default()
    }
}
