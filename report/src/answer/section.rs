// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Answers that are no table of arms: who could read a page, what works, what became of
//! the direct map and of others.

use super::{Part, question::Shows};
use crate::{
    digest::{Bed, Digest},
    direct_map,
    evidence::{self, Evidence},
    matrix, prose, tlb,
};
use results::{audit::Reader, compare::Table};

/// Puts into `part` what `bed` has of `shows`.
///
/// `ids` are the workloads of the question.
pub(super) fn fill(
    part: &mut Part,
    (shows, ids): (Shows, &[&str]),
    digest: &Digest<'_>,
    bed: &Bed<'_>,
) {
    match shows {
        Shows::Isolation => isolation(part, digest, bed),
        Shows::Backends => {
            for matrix in bed.families.iter().filter_map(matrix::of) {
                part.said.extend(matrix.sentences());
                part.grids.push(matrix.grid());
            }
            if let Some(evidence) = of(&evidence::of(digest.run), bed) {
                let sights = evidence.sights(Reader::ODirect);
                let sight =
                    |sight| format!("A page of the guest written to a disk by O_DIRECT, {sight}.");
                part.said.extend(sights.into_iter().map(sight));
            }
        }
        Shows::DirectMap => {
            if let Some(accounting) = direct_map::of(bed) {
                part.said.extend(accounting.sentences);
                part.grids.push(accounting.grid);
            }
        }
        Shows::Shootdowns => part.grids.extend(tlb::shootdowns::of(bed)),
        Shows::Bystanders => part.grids.extend(tlb::bystander::of(bed)),
        Shows::Translation => {
            let chases = tlb::chase::of(bed);
            part.said
                .extend(chases.iter().flat_map(tlb::chase::Chase::lines));
            part.said.extend(tlb::absent::lines(bed));
            let asked = |table: &Table<'_>| ids.contains(&table.group.workload.as_str());
            part.grids.extend(tlb::misses::within(bed, asked));
        }
        Shows::Testbed => testbed(part, digest, bed),
    }
}

fn isolation(part: &mut Part, digest: &Digest<'_>, bed: &Bed<'_>) {
    match of(&evidence::of(digest.run), bed) {
        None => part.not = Some("not answered: this run has no audit.json".into()),
        Some(evidence) => {
            part.said.push(evidence.summary());
            part.said.push(evidence::ABOUT.to_string());
            let sights = evidence.sights(Reader::DirectMap).into_iter();
            part.said
                .extend(sights.map(|sight| format!("direct map, {sight}.")));
            part.grids.push(evidence.grid());
        }
    }
}

fn of<'e, 'a>(all: &'e [Evidence<'a>], bed: &Bed<'_>) -> Option<&'e Evidence<'a>> {
    all.iter().find(|evidence| evidence.testbed == bed.testbed)
}

fn testbed(part: &mut Part, digest: &Digest<'_>, bed: &Bed<'_>) {
    part.said
        .push(format!("It counts {}.", prose::about(bed.testbed)));
    part.said
        .extend(prose::unit_cautions(digest.run, bed.testbed));
    let facts = prose::machine(digest.run, bed.testbed);
    part.said
        .extend((!facts.is_empty()).then(|| facts.join("; ") + "."));
}
