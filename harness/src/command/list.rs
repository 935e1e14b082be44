// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `unmapbench list`: strategies, workloads, parameters, and the questions that a report
//! answers.

use crate::{cli::Json, exit::Exit};
use results::Testbed;
use serde_json::{Map, Value, json};
use std::fmt::Write;
use strategies::registry;
use workloads::{Profile, Workload};

/// Prints what there is to choose from.
pub(super) fn run(args: Json) -> anyhow::Result<Exit> {
    let workloads = workloads::all()?;
    match args.json {
        true => super::print_json(&document(&workloads))?,
        false => super::print(&text(&workloads)?)?,
    }
    Ok(Exit::Fine)
}

fn document(workloads: &[Workload]) -> Value {
    let strategies: Vec<_> = registry::ALL
        .iter()
        .map(|s| {
            json!({
                "name": s.name,
                "about": s.about,
                "isolating": s.claims().claim.isolates(),
            })
        })
        .collect();
    let workloads: Vec<_> = workloads
        .iter()
        .map(|w| {
            let cells = |testbed| -> Map<_, _> {
                let of = |p: &Profile| (p.name().to_string(), json!(w.cells(*p, testbed)));
                Profile::ALL.iter().map(of).collect()
            };
            json!({
                "id": w.id,
                "summary": w.summary,
                "headline": w.headline,
                "cells": cells(Testbed::Host),
                "lab_cells": cells(Testbed::Lab),
            })
        })
        .collect();
    let profiles: Vec<_> = Profile::ALL
        .iter()
        .map(|p| json!({ "name": p.name(), "blocks": p.blocks() }))
        .collect();
    let questions: Vec<_> = report::questions()
        .iter()
        .map(|q| json!({ "name": q.name, "asks": q.asks, "workloads": q.of }))
        .collect();
    json!({
        "strategies": strategies,
        "workloads": workloads,
        "profiles": profiles,
        "questions": questions,
    })
}

fn text(workloads: &[Workload]) -> Result<String, std::fmt::Error> {
    let mut out = String::from("strategies\n");
    for s in registry::ALL {
        writeln!(out, "  {:<14} {}", s.name, s.about)?;
    }
    out.push_str("\nworkloads\n");
    for w in workloads {
        writeln!(out, "  {:<22} {}", w.id, w.summary)?;
        for (name, values) in w.parameters() {
            let values: Vec<_> = values.iter().map(|v| v.to_string()).collect();
            writeln!(out, "  {:<22}   {name} = {}", "", values.join(", "))?;
        }
    }
    out.push_str("\nprofiles\n");
    for p in Profile::ALL {
        writeln!(out, "  {:<14} {} blocks", p.name(), p.blocks())?;
    }
    out.push_str("\nquestions that a report answers; --profile full runs what they need\n");
    for question in report::questions() {
        writeln!(out, "  {:<14} {}", question.name, question.asks)?;
        if !question.of.is_empty() {
            writeln!(out, "  {:<14}   {}", "", question.of.join(", "))?;
        }
    }
    Ok(out)
}
