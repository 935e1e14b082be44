// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The sentences that every format says in the same words: what the numbers are,
//! what they are not, and how to get them again.

use crate::{
    bounce,
    digest::{self, Bed, Digest, Tally},
    evidence, gap,
    number::{self, NOT_DETERMINISTIC},
};
use results::{
    Outcome, Run, Testbed, Unit,
    stats::{MIN_BLOCKS, Precision, holm, median},
};

/// What must be read before any number: invented numbers, instructions, the
/// warnings of the machine, what the reader of the record passed over.
pub(crate) fn cautions(digest: &Digest<'_>) -> Vec<String> {
    let beds = digest
        .beds
        .iter()
        .flat_map(|bed| unit_cautions(digest.run, bed.testbed));
    let mut cautions: Vec<String> = beds.collect();
    cautions.extend(reinserts(digest.run).then(|| UNTUNED.to_string()));
    let moved = gap::not_deterministic(digest);
    if moved > 0 {
        cautions.push(format!(
            "{NOT_DETERMINISTIC}: {} counted different instructions in different blocks. \
             That is a defect of the lab or of this build; no conclusion is drawn from it.",
            if moved == 1 {
                "1 arm".to_string()
            } else {
                format!("{moved} arms")
            }
        ));
    }
    cautions.extend(evidence::cautions(digest));
    cautions.extend(digest.run.host.warnings.iter().cloned());
    cautions.extend(
        digest
            .run
            .notes
            .iter()
            .map(|n| format!("The record is incomplete: {n}")),
    );
    cautions
}

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
fn reinserts(run: &Run) -> bool {
    run.rows.iter().any(|row| match &row.outcome {
        Outcome::Measured { counters, .. } => counters
            .get("kvm.direct_map_reinserts")
            .is_some_and(|n| *n > 0),
        _ => false,
    })
}

const UNTUNED: &str = "Reinsertion is untuned: its implementation has not been optimised, so read \
its costs as upper bounds.";

/// The one figure on reinsertion that was published before (kernel mailing list).
const PUBLISHED: &str = "The one published figure on reinsertion is 80 % less fio throughput on \
virtio-blk with a TLB flush than without, on a Xeon Platinum 8375C; the number of cores, the job \
and the number of runs were not given (20240709132041.3625501-6-roypat@amazon.co.uk).";

/// A short form of [`unit_caution`] for the head of each table.
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

/// What the columns of a comparison mean.
pub(crate) const LEGEND: &str = "n: blocks counted, each one fresh VM of every strategy; the warm-up block is left out. \
median, min, max: over the medians of the blocks. ";

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
pub(crate) const MARKED: &str = "the interval excludes 1, or the ratio is exact and not 1";

/// What a ratio of instructions is; nothing if the run counts none.
pub(crate) fn exact(digest: &Digest<'_>) -> &'static str {
    match digest.beds.iter().flat_map(Bed::tables).any(digest::exact) {
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

/// On how many machines and kernels a run rests.
fn machines(digest: &Digest<'_>) -> &'static str {
    let has = |name: &str| {
        let mut tables = digest.beds.iter().flat_map(Bed::tables);
        tables.any(|table| table.group.params.contains_key(name))
    };
    let on = |testbed| digest.beds.iter().any(|bed| bed.testbed == testbed);
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
pub(crate) fn threats(digest: &Digest<'_>) -> Vec<String> {
    let mut threats = vec![
        machines(digest).to_string(),
        format!(
            "The unit of inference is the block. Intervals need {MIN_BLOCKS} blocks; with fewer none is given. \
             Percentiles in tables and figures pool the samples of all blocks and only describe them."
        ),
        "Percentiles in the tail are given only with 100 samples beyond them: p99 from 10,000 samples, \
         p99.9 from 100,000."
            .to_string(),
        "No verdict is given: the intervals are not corrected for their number.".to_string(),
    ];
    if digest.beds.iter().any(|bed| bed.testbed == Testbed::Lab) {
        threats.insert(
            1,
            "Counts of the lab repeat to the last digit with one kernel, one program and one QEMU; \
             another build of any of them gives others. They are of all CPUs of the lab together, \
             kernel and VMM; its CPUs take turns, so that waiting for one another costs what the \
             emulator's turns make of it. A count says how long the path is, not how long it takes."
                .to_string(),
        );
    }
    if reinserts(digest.run) {
        threats.insert(1, PUBLISHED.to_string());
    }
    let tables = || digest.beds.iter().flat_map(Bed::tables);
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
    let bounced = bounce::intervals(digest);
    if let Some(last) = threats.last_mut().filter(|_| bounced > 0) {
        last.push_str(&format!(
            " So would one in twenty of the {bounced} over none if bouncing cost nothing."
        ));
    }
    threats
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

/// Whether `git` is a commit and nothing besides.
pub(crate) fn is_revision(git: &str) -> bool {
    git.len() >= 7 && git.bytes().all(|b| b.is_ascii_hexdigit())
}

/// What to type, from a clone of the repository on, to repeat a run; a list of words each.
pub(crate) fn reproduction(digest: &Digest<'_>) -> Vec<Vec<String>> {
    let header = &digest.run.header;
    let words = |line: &str| line.split(' ').map(str::to_string).collect::<Vec<_>>();
    let mut commands = Vec::new();
    if is_revision(&header.git) {
        commands.push(words(&format!("git checkout {}", header.git)));
    }
    commands.push(words("cargo build --release --locked"));
    if digest.beds.iter().any(|bed| bed.testbed == Testbed::Lab) {
        commands.push(words("unmapbench lab build"));
    }
    commands.push(header.command.clone());
    commands
}

/// The command as a shell reads it back, on one line.
pub(crate) fn command(words: &[String]) -> String {
    words
        .iter()
        .map(|w| quoted(w))
        .collect::<Vec<_>>()
        .join(" ")
}

/// One word for bash: as it is if it is plain, in single quotes if it is
/// printable ASCII, as `$'…'` otherwise.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_string();
    }
    if word.chars().all(|c| matches!(c, ' '..='~')) {
        return format!("'{}'", word.replace('\'', r"'\''"));
    }
    let mut out = "$'".to_string();
    for byte in word.bytes() {
        match byte {
            b'\'' | b'\\' => out.extend(['\\', char::from(byte)]),
            b' '..=b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out + "'"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_read_back_as_they_were() {
        fn check(word: &str, expected: &str) {
            assert_eq!(quoted(word), expected);
        }
        check("--blocks", "--blocks");
        check("", "''");
        check("mmio/*", "'mmio/*'");
        check("it's", r"'it'\''s'");
        check("a\nb", r"$'a\x0ab'");
        check("é", r"$'\xc3\xa9'");
    }
}
