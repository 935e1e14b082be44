// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The sentences that several sections say in the same words: what the numbers are and what
//! they are not.

use crate::{
    model::{self, Bed, Model, Tally},
    number,
};
use results::{Outcome, Run, Testbed, Unit, counter::kvm, stats::median};

/// What the numbers of a testbed are not, and of which processor they are.
pub(crate) fn unit_cautions(run: &Run, testbed: Testbed) -> Vec<String> {
    match testbed {
        Testbed::Host => Vec::new(),
        Testbed::Lab => vec![INSTRUCTIONS.to_string(), processor(run)],
        Testbed::Fake => vec![
            "THESE NUMBERS ARE INVENTED. The fake testbed makes them up to test the program; no virtual machine was run."
                .to_string(),
        ],
    }
}

const INSTRUCTIONS: &str = "Lab figures count instructions, not time: what caches, TLB misses and \
the latency of exits cost is not in them.";

/// Which processor the lab emulates, because it decides what KVM reads from guest memory.
/// The ratios were measured by hand, one run each, with 1 and with 4 CPUs.
fn processor(run: &Run) -> String {
    match run.host.get("lab.cpu") {
        Some(cpu) if !cpu.contains("svm") => format!(
            "The lab's processor ({cpu}) decides how often KVM reads guest memory: compare \
             processors before you generalise."
        ),
        _ => "The lab's processor is QEMU's AMD SVM without decode assists: KVM fetches every \
              instruction that it emulates, as it does on Intel. AMD processors as sold have decode \
              assists, and plain MMIO needs no fetch there. Reinsertion against memfd for mmio/user-read \
              with 1 and 4 CPUs, measured by hand, one run each: 2.2 and 4.3 times on this processor, 2.0 \
              and 4.0 on Intel VMX, 1.0 and 1.0 on AMD SVM with decode assists (the last two by Bochs)."
            .to_string(),
    }
}

/// Whether KVM put any page back into the direct map for an access.
pub(crate) fn reinserts(run: &Run) -> bool {
    run.rows.iter().any(|row| match &row.outcome {
        Outcome::Measured { counters, .. } => counters
            .get(kvm::DIRECT_MAP_REINSERTS.key)
            .is_some_and(|n| *n > 0),
        _ => false,
    })
}

/// A short form of [`unit_cautions`] for the head of each table.
pub(crate) fn watermark(testbed: Testbed) -> Option<&'static str> {
    match testbed {
        Testbed::Host => None,
        Testbed::Lab => Some("instructions, not time"),
        Testbed::Fake => Some("invented numbers"),
    }
}

/// The same to stand behind a unit; nothing where there is none.
pub(crate) fn behind(testbed: Testbed) -> String {
    watermark(testbed).map_or_else(String::new, |mark| format!("; {mark}"))
}

/// What a testbed measures.
pub(crate) fn about(testbed: Testbed) -> &'static str {
    match testbed {
        Testbed::Host => "nanoseconds on this machine's /dev/kvm",
        Testbed::Lab => "instructions on the emulated machine",
        Testbed::Fake => "numbers from a generator",
    }
}

/// What of the machine bears on the numbers of a testbed, each fact with its name.
pub(crate) fn machine(run: &Run, testbed: Testbed) -> Vec<String> {
    let names: &[&str] = match testbed {
        Testbed::Host => &["cpu.model", "kernel", "kvm.flavour", "virtualised", "pmu"],
        Testbed::Lab => &[
            "lab.kernel",
            "lab.kernel.base",
            "lab.qemu",
            "lab.cpu",
            "lab.tlb-model",
        ],
        Testbed::Fake => &[],
    };
    let fact = |name: &&str| Some(format!("{name}: {}", run.host.get(name)?));
    names.iter().filter_map(fact).collect()
}

/// What the columns of an overview beside the baseline's show, up to the marks.
pub(crate) fn columns(bed: &Bed<'_>) -> &'static str {
    match bed.tables().all(|t| t.unit == Some(Unit::Insn)) {
        true => {
            "the ratio to memfd's count and the difference in instructions, exact where several \
             blocks repeat the count to the last digit"
        }
        false => RATIO,
    }
}

/// When a ratio is marked.
pub(crate) const MARKED: &str = "the interval excludes 1, or the counts differ";

/// What a ratio of instructions is; nothing if the run counts none.
pub(crate) fn exact(model: &Model<'_>) -> &'static str {
    match model.tables().any(model::exact) {
        true => {
            " one run: a count of instructions from one block, which cannot show that it repeats. \
             exact: a count that several blocks repeated to the last digit; its ratio needs no \
             interval, and any difference is one."
        }
        false => "",
    }
}

/// What a ratio is.
pub(crate) const RATIO: &str = "median over blocks of the ratio to memfd in the same block, \
with a 95 % interval by bootstrap over blocks";

/// `costs more than memfd in 3 of 15 (median 1.418 times, 1.1 to 2.3); …`, to
/// stand behind the name of an arm.
pub(crate) fn tally(tally: &Tally) -> String {
    let ratios = &tally.ratios;
    let ends = ratios.first().zip(ratios.last());
    let most = ends.map_or(String::new(), |(low, high)| {
        let middle = median(ratios).unwrap_or(*low);
        let [middle, low, high] = [middle, *low, *high].map(number::times);
        format!(" (median {middle} times, {low} to {high})")
    });
    let of = tally.of;
    let parts = [
        (tally.more, "costs more than memfd in", most),
        (tally.less, "costs less in", String::new()),
        (tally.same, "costs the same in", String::new()),
        (tally.open, "no difference shown in", String::new()),
        (tally.without, "no ratio in", String::new()),
    ];
    let parts = parts.into_iter().filter(|(n, ..)| *n > 0);
    let parts = parts.map(|(n, what, more)| format!("{what} {n} of {of}{more}"));
    parts.collect::<Vec<_>>().join("; ")
}

/// What made the record and how, in parts: tool, revision, profile, blocks, seed.
pub(crate) fn identity(run: &Run) -> Vec<String> {
    let header = &run.header;
    let blocks = match run.plan.blocks {
        1 => "1 block".to_string(),
        n => format!("{n} blocks"),
    };
    vec![
        header.tool.clone(),
        format!("git {}", header.git),
        format!("profile {}", header.profile),
        blocks,
        format!("seed {}", header.seed),
    ]
}
