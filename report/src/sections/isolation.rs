// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Who could read a page of guest memory, and whether the arm's claim to hide it holds.

use super::said::Said;
use crate::{
    document::{Field, Table},
    evidence::{self, ABSENT, Evidence, READERS},
    model::{Bed, Model},
};
use results::audit::Reader;

/// What the readers are.
const ABOUT: &str = "A random secret was put into a page of guest memory; each reader \
then looked for it, after it had found another secret in ordinary memory. direct map: the page's \
frame in /proc/kcore. process_vm_readv, O_DIRECT: access to pinned pages (GUP), by an address \
space and by a block device. The look is at page tables at rest: what KVM holds for the moment \
it does not see, nor what a stale TLB entry still reaches. stale TLB: absent from page tables, \
reachable by stale TLB entries, because nothing was flushed (flush=none).";

/// What the audits of a testbed found.
pub(super) fn answer(model: &Model<'_>, bed: &Bed<'_>, _: &[&str]) -> Said {
    let all = evidence::of(model.run);
    let Some(evidence) = all.iter().find(|of| of.testbed == bed.testbed) else {
        return Said {
            not: Some("not answered: this run has no audit.json".into()),
            ..Said::default()
        };
    };
    let sights = evidence.sights(Reader::DirectMap).into_iter();
    let sights = sights.map(|sight| format!("direct map, {sight}."));
    let first = [evidence.summary(), ABOUT.to_string()];
    Said {
        sentences: first.into_iter().chain(sights).collect(),
        tables: vec![words(evidence)],
        pages: vec![sights_of(evidence)],
        ..Said::default()
    }
}

/// An arm a row, a word a reader, and whether the arm's claim to hide memory holds.
fn words(evidence: &Evidence<'_>) -> Table {
    let columns = ["strategy", "direct map", "vm_readv", "O_DIRECT", "holds"];
    let title = format!("Isolation evidence: {}", evidence.testbed);
    let mut table = Table::new(title, "", &columns);
    for audit in &evidence.audits {
        let words = READERS.map(|(reader, _)| match evidence::word(audit, reader) {
            ABSENT => "stale TLB",
            word => word,
        });
        let holds = match evidence::holds(audit) {
            "" => "-",
            holds => holds,
        };
        let mut row = vec![Field::named(&audit.strategy, &audit.mode, audit.arm())];
        row.extend(words.into_iter().chain([holds]).map(Field::from));
        table.push("", row);
    }
    table
}

/// The same with what each reader saw.
fn sights_of(evidence: &Evidence<'_>) -> Table {
    let readers = READERS.map(|(_, name)| name);
    let columns: Vec<&str> = std::iter::once("strategy").chain(readers).collect();
    let title = format!("What each reader saw: {}", evidence.testbed);
    let mut table = Table::new(title, "", &columns);
    table.prose = true;
    for audit in &evidence.audits {
        let mut row = vec![Field::named(&audit.strategy, &audit.mode, audit.arm())];
        row.extend(READERS.map(|(reader, _)| {
            let seen = evidence::finding(audit, reader);
            let seen = seen.map_or("not tried", |finding| finding.seen.as_str());
            Field::from(format!("{}: {seen}", evidence::word(audit, reader)))
        }));
        table.push("", row);
    }
    table
}
