// SPDX-License-Identifier: Apache-2.0 OR MIT
//! HdrHistogram interval log: a histogram for each block of each arm, tagged with testbed,
//! workload, parameters and arm, in the samples' unit. A sample that covers several
//! operations is divided by their number, and rounded. The record has no time of day a
//! block: interval i begins at second i.

use super::entry::symbol;
use crate::Error;
use hdrhistogram::{
    Histogram,
    serialization::{
        V2DeflateSerializer,
        interval_log::{IntervalLogWriterBuilder, Tag},
    },
};
use results::{
    Run, Unit,
    compare::{Table, compare, pooled},
};
use std::time::Duration;

pub(super) fn hlog(run: &Run) -> Result<String, Error> {
    let refused = |reason: String| Error::Export {
        format: "hlog",
        reason,
    };
    let mut out: Vec<u8> = Vec::new();
    let mut serializer = V2DeflateSerializer::new();
    let mut log = IntervalLogWriterBuilder::new()
        .add_comment("[Histogram log format version 1.3]")
        .add_comment("unmapbench: ns on a machine, instructions in the lab; an interval is a block")
        .begin_log_with(&mut out, &mut serializer)
        .map_err(|e| refused(e.to_string()))?;
    let tables = compare(run);
    for table in &tables {
        for arm in table.arms.iter().filter(|arm| arm.figures.is_ok()) {
            let tag = tag(table, &arm.cell.arm());
            for row in &arm.rows {
                let Some(block) = row.block.filter(|block| *block > 0) else {
                    continue;
                };
                let samples = pooled(&[*row], table.detail);
                let Some(histogram) = histogram(samples.values()) else {
                    continue;
                };
                let start = Duration::from_secs(block.into());
                let tag = Tag::new(&tag).ok_or_else(|| refused(format!("tag {tag:?}")))?;
                log.write_histogram(&histogram, start, Duration::from_secs(1), Some(tag))
                    .map_err(|e| refused(format!("{e:?}")))?;
            }
        }
    }
    String::from_utf8(out).map_err(|e| refused(e.to_string()))
}

/// Three digits, as is usual; `None` without samples.
fn histogram(samples: &[f64]) -> Option<Histogram<u64>> {
    let mut histogram = Histogram::new(3).ok()?;
    histogram.auto(true);
    for sample in samples {
        // At 2⁵³ and beyond nothing is measured.
        histogram.record(sample.round().min(9e15) as u64).ok()?;
    }
    (!samples.is_empty()).then_some(histogram)
}

/// Without comma, space and line break, which end a tag.
fn tag(table: &Table<'_>, arm: &str) -> String {
    let unit = symbol(table.unit.unwrap_or(Unit::Ns));
    let tag = format!("{}/{}/{arm}/{unit}", table.group.testbed, table.group);
    crate::clean::line(&tag).replace([',', ' '], ";")
}
