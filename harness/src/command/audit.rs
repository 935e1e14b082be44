// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `unmapbench audit`: who can read guest memory from outside the guest.

use crate::{
    arm,
    cli::AuditArgs,
    execute::{self, Wanted},
    exit::{Exit, Failure},
    plan::Selection,
    probe,
    run::ArmAvailability,
};
use results::{
    Outcome,
    audit::{Claim, Reader, Verdict},
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
        seed: 1,
        guest: None,
        delays: Default::default(),
    };
    let wanted = Wanted {
        seed: selection.seed,
        profile: selection.profile,
        lab: &args.lab,
    };
    let mut examined = Vec::new();
    let mut unfit = Vec::new();
    for testbed in args.on.testbeds() {
        match execute::instances(testbed, &wanted) {
            Err(failure) => unfit.push(format!("{testbed}: {failure}")),
            Ok(instances) => examined.extend(instances.into_iter().map(|instance| {
                let probed = probe::probe(instance.executor.as_ref(), &selection.strategies());
                let arms = ArmAvailability::new(&instance, &selection, &probed);
                (testbed, arms)
            })),
        }
    }
    if examined.is_empty() {
        return Err(
            Failure::Unfit(format!("nothing can be examined: {}", unfit.join("; "))).into(),
        );
    }
    let audits: Vec<_> = examined.iter().flat_map(|(_, arms)| &arms.audits).collect();
    match args.json {
        true => super::print_json(&audits)?,
        false => {
            for (testbed, arms) in &examined {
                super::print(&text(testbed.name(), arms)?)?;
            }
        }
    }
    Ok(match audits.iter().any(|a| a.broken().is_some()) {
        true => Exit::Regression,
        false => Exit::Fine,
    })
}

fn text(testbed: &str, arms: &ArmAvailability) -> Result<String, std::fmt::Error> {
    let mut out = format!("{testbed}:\n");
    for audit in &arms.audits {
        let claim = match audit.claim() {
            Claim::Hidden => "claims to be hidden",
            Claim::Unflushed => "claims to be absent from page tables, not from TLBs",
            Claim::Mapped => "no claim",
        };
        writeln!(out, "  {} ({claim})", audit.arm())?;
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
    for (arm, outcome) in &arms.refused {
        if let Outcome::Missing { reason, remedy, .. } = outcome {
            writeln!(out, "  {arm}: missing: {reason} (remedy: {remedy})")?;
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
