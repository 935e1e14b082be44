// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `unmapbench probe`: what can run on this machine, and why the rest cannot.

use crate::{
    cli::Json,
    execute::{self, LabArgs, Wanted},
    exit::{Exit, Failure},
    probe::{self, Probed},
};
use results::Testbed;
use serde_json::{Value, json};
use std::fmt::Write;
use strategies::registry;
use workloads::Profile;

/// Tries every strategy on every testbed. That a testbed is missing is part of
/// the answer; that nothing at all can run is exit code 4.
pub(super) fn run(args: Json) -> anyhow::Result<Exit> {
    let real = execute::ALL.iter().filter(|kind| kind.real);
    let testbeds: Vec<_> = real
        .map(|kind| (kind.testbed, try_all(kind.testbed)))
        .collect();
    match args.json {
        true => {
            let all: serde_json::Map<_, _> = testbeds
                .iter()
                .map(|(t, r)| (t.to_string(), document(r)))
                .collect();
            super::print_json(&all)?;
        }
        false => super::print(&text(&testbeds)?)?,
    }
    let runs = |r: &Result<Vec<Probed>, Failure>| {
        r.as_ref()
            .is_ok_and(|all| all.iter().any(|p| p.refusal.is_none()))
    };
    Ok(match testbeds.iter().any(|(_, r)| runs(r)) {
        true => Exit::Fine,
        false => Exit::Unfit,
    })
}

fn try_all(testbed: Testbed) -> Result<Vec<Probed>, Failure> {
    let lab = LabArgs {
        cpus: vec![1],
        kernel: Vec::new(),
        tlb_model: None,
    };
    let wanted = Wanted {
        seed: 0,
        profile: Profile::Quick,
        lab: &lab,
    };
    let instances = execute::instances(testbed, &wanted)?;
    let probed = instances
        .iter()
        .flat_map(|i| probe::probe(i.executor.as_ref(), registry::ALL));
    Ok(probed.collect())
}

fn document(tried: &Result<Vec<Probed>, Failure>) -> Value {
    match tried {
        Err(failure) => json!({ "available": false, "reason": failure.to_string() }),
        Ok(all) => {
            let lines: Vec<_> = all.iter().map(Probed::line).collect();
            json!({ "available": true, "strategies": lines })
        }
    }
}

fn text(testbeds: &[(Testbed, Result<Vec<Probed>, Failure>)]) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    for (testbed, tried) in testbeds {
        match tried {
            Err(failure) => writeln!(out, "{testbed}: unavailable: {failure}")?,
            Ok(all) => {
                writeln!(out, "{testbed}:")?;
                for p in all {
                    let (reason, remedy) = p.why();
                    writeln!(
                        out,
                        "  {:<14} {}{}",
                        p.strategy.name,
                        p.line().status(),
                        after(": ", reason)
                    )?;
                    out.push_str(
                        &remedy
                            .map(|r| format!("{:<17}remedy: {r}\n", ""))
                            .unwrap_or_default(),
                    );
                }
            }
        }
    }
    Ok(out)
}

fn after(separator: &str, text: Option<&str>) -> String {
    text.map(|t| format!("{separator}{t}")).unwrap_or_default()
}
