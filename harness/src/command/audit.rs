// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `unmapbench audit`: who can read guest memory from outside the guest.

use crate::{
    arm,
    cli::AuditArgs,
    exit::{Exit, Failure},
    plan::Selection,
    probe,
    run::Lineup,
};
use results::{
    Audit, Outcome,
    audit::{Reader, Verdict},
};
use std::fmt::Write;
use workloads::Profile;

/// Examines every arm. A claim that does not hold is exit code 1; that nothing
/// could be examined is 4.
pub(super) fn run(args: AuditArgs) -> anyhow::Result<Exit> {
    let selection = Selection {
        arms: arm::arms(&[], args.all_modes)?,
        workloads: Vec::new(),
        profile: Profile::Quick,
        blocks: None,
        lab_cpus: args.lab.cpus(Profile::Quick),
        seed: 1,
        guest: None,
        delays: Default::default(),
    };
    let mut lineups = Vec::new();
    let mut unfit = Vec::new();
    for testbed in args.on.testbeds() {
        match super::executors(*testbed, selection.seed, &args.lab) {
            Err(failure) => unfit.push(format!("{testbed}: {failure}")),
            Ok(executors) => lineups.extend(executors.into_iter().map(|(bed, executor)| {
                let probed = probe::probe(executor.as_ref(), &selection.strategies());
                (
                    bed,
                    Lineup::new(executor.as_ref(), &selection, *testbed, &probed),
                )
            })),
        }
    }
    if lineups.is_empty() {
        return Err(
            Failure::Unfit(format!("nothing can be examined: {}", unfit.join("; "))).into(),
        );
    }
    let audits: Vec<_> = lineups.iter().flat_map(|(_, l)| &l.audits).collect();
    match args.json {
        true => super::print_json(&audits)?,
        false => {
            for (bed, lineup) in &lineups {
                super::print(&text(&bed.testbed.to_string(), lineup)?)?;
            }
        }
    }
    Ok(match audits.iter().any(|a| a.broken().is_some()) {
        true => Exit::Regression,
        false => Exit::Fine,
    })
}

fn text(bed: &str, lineup: &Lineup) -> Result<String, std::fmt::Error> {
    let mut out = format!("{bed}:\n");
    for audit in &lineup.audits {
        let claim = if audit.isolating {
            "claims isolation"
        } else {
            "no claim"
        };
        writeln!(out, "  {} ({claim})", arm(audit))?;
        for f in &audit.findings {
            let verdict = match f.verdict {
                Verdict::Readable => "readable",
                Verdict::Hidden => "hidden",
                Verdict::Unknown => "unknown",
            };
            writeln!(out, "    {:<17} {verdict:<9} {}", reader(f.reader), f.seen)?;
        }
        if let Some(why) = audit.broken() {
            writeln!(out, "    NOT AS CLAIMED: {why}")?;
        }
    }
    for (arm, outcome) in &lineup.refused {
        if let Outcome::Missing { reason, remedy } = outcome {
            writeln!(
                out,
                "  {}: missing: {reason} (remedy: {remedy})",
                arm.strategy.name
            )?;
        }
    }
    Ok(out)
}

fn reader(reader: Reader) -> &'static str {
    match reader {
        Reader::DirectMap => "direct map",
        Reader::ProcessVmReadv => "process_vm_readv",
        Reader::ODirect => "O_DIRECT",
    }
}

fn arm(audit: &Audit) -> String {
    let mode = audit
        .mode
        .iter()
        .map(|(name, value)| format!(" {name}={value}"));
    std::iter::once(audit.strategy.clone())
        .chain(mode)
        .collect()
}
