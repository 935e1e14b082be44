// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Threats to validity: the lasting ones, then those of this run.

use crate::{
    bounce,
    document::{Block, Style},
    model::Model,
    prose,
};
use results::{
    Testbed,
    stats::{MIN_BLOCKS, Precision, holm},
};

/// The section.
pub(super) fn section(model: &Model<'_>) -> Vec<Block> {
    let mut blocks = vec![Block::heading(2, "threats", "Threats to validity")];
    blocks.extend(Block::list(Style::Bullets, threats(model)));
    blocks
}

/// The one figure on reinsertion that was published before (kernel mailing list).
const PUBLISHED: &str = "The one published figure on reinsertion is 80 % less fio throughput on \
virtio-blk with a TLB flush than without, on a Xeon Platinum 8375C; the number of cores, the job \
and the number of runs were not given (20240709132041.3625501-6-roypat@amazon.co.uk).";

/// On how many machines and kernels a run rests.
fn machines(model: &Model<'_>) -> &'static str {
    let has = |name: &str| {
        let mut tables = model.tables();
        tables.any(|table| table.group.params.contains_key(name))
    };
    let on = |testbed| model.beds.iter().any(|bed| bed.testbed == testbed);
    match (has("host"), on(Testbed::Host)) {
        (true, _) => {
            "Several runs joined into one record: cells with different values of host= ran on \
             different machines or at different times, and are not compared."
        }
        (false, true) => {
            "One machine, one kernel, one boot. Ratios within the run are meant to be read; \
             absolute figures belong to this machine."
        }
        (false, false) => {
            "One program, and in the lab one emulated machine, booted afresh for each arm and \
             family of workloads. Ratios within the run are meant to be read."
        }
    }
}

/// Threats to validity: the lasting ones, then those of this run.
fn threats(model: &Model<'_>) -> Vec<String> {
    let mut threats = vec![
        machines(model).to_string(),
        format!(
            "The unit of inference is the block. Intervals need {MIN_BLOCKS} blocks; with fewer none is given. \
             Percentiles in tables and figures pool the samples of all blocks and only describe them."
        ),
        "Percentiles in the tail are given only with 100 samples beyond them: p99 from 10,000 samples, \
         p99.9 from 100,000."
            .to_string(),
        "No verdict is given: the intervals are not corrected for their number.".to_string(),
    ];
    if model.ran_on(Testbed::Lab) {
        threats.insert(
            1,
            "Counts of the lab repeat to the last digit with one kernel, one program and one QEMU; \
             another build of any of them gives others. They are of all CPUs of the lab together, \
             kernel and VMM; its CPUs take turns, so that waiting for one another costs what the \
             emulator's turns make of it. A count says how long the path is, not how long it takes."
                .to_string(),
        );
    }
    if prose::reinserts(model.run) {
        threats.insert(1, PUBLISHED.to_string());
    }
    let tables = || model.tables();
    let ratios = tables()
        .flat_map(|t| &t.arms)
        .filter_map(|a| a.ratio.as_ref().ok());
    let p: Vec<f64> = ratios
        .filter(|r| matches!(r.precision, Precision::Interval(_)))
        .filter_map(|r| r.p)
        .collect();
    let intervals = p.len();
    if let Some(last) = threats.last_mut().filter(|_| intervals > 0) {
        last.push_str(&format!(
            " One in twenty of the {intervals} shown would exclude 1 by chance alone if no strategy \
             differed from memfd. By sign flips, and with Holm's correction for their number, {} of them \
             differ at 5 %.",
            holm(&p).iter().filter(|p| **p <= 0.05).count()
        ));
    }
    let bounced = bounce::intervals(model);
    if let Some(last) = threats.last_mut().filter(|_| bounced > 0) {
        last.push_str(&format!(
            " So would one in twenty of the {bounced} over none if bouncing cost nothing."
        ));
    }
    threats
}
