// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a sceptic looks for: holes with their reasons, threats to validity, the
//! machine, the command, the raw files.

use super::budget::Budget;
use crate::{digest::Digest, gap, prose};
use maud::{Markup, html};

/// The files of a run directory, beside which the page lies.
const RAW: [(&str, &str); 7] = [
    (
        "samples.jsonl",
        "every row of the record, raw samples, counters, failures with registers",
    ),
    ("samples.csv", "the same samples, one a line"),
    ("plan.json", "what was to be run"),
    ("host.json", "the machine"),
    ("figures/", "every figure as a file of its own"),
    ("report.md", "this report for a pull request"),
    ("report.txt", "this report for a mailing list"),
];

/// Where what was found of isolation is, in runs that looked.
const AUDITS: Option<(&str, &str)> = Some(("audit.json", "what was found of isolation"));

/// Every hole and every lost block, with its reason and remedy.
pub(super) fn gaps(digest: &Digest<'_>, budget: &mut Budget) -> Markup {
    let gaps = gap::gaps(digest);
    if gaps.is_empty() {
        return html! {};
    }
    let table = html! {
        table.words {
            caption { "Every cell without figures or without a ratio, or with blocks lost, and why." }
            thead { tr { @for name in ["strategy", "where", "reason", "remedy"] { th scope="col" { (name) } } } }
            tbody { @for gap in &gaps { tr {
                th scope="row" { (gap.who()) " (" (gap.testbed) ")" }
                td { (gap.scope()) }
                td.why { (gap.what) }
                td { (gap.remedy.as_deref().unwrap_or("")) }
            } } }
        }
    };
    let body = budget.wide("Missing and failed", &table);
    let piece = budget.table("what is missing and failed", body);
    html! { section { h2 id="missing" { "Missing and failed" } (budget.place(vec![piece])) } }
}

/// Everything after the families.
pub(super) fn closing(digest: &Digest<'_>, budget: &mut Budget) -> Markup {
    let run = digest.run;
    let strategies = html! {
        table.words {
            caption { "The strategies of this run." }
            thead { tr { th scope="col" { "strategy" } th scope="col" { "what it is" } th scope="col" { "direct map" } } }
            tbody { @for info in &run.plan.strategies { tr {
                th scope="row" { (info.name) }
                td.why { (info.about) }
                td { @if info.isolating { "meant to be removed" } @else { "intact" } }
            } } }
        }
    };
    let machine = html! {
        table.words {
            caption { "Facts on the machine, as the run found them." }
            thead { tr { th scope="col" { "fact" } th scope="col" { "value" } } }
            tbody { @for fact in &run.host.facts { tr {
            th scope="row" { (fact.name) } td.why { (fact.value) }
            } } }
        }
    };
    html! {
        section {
            h2 { "How to read this" }
            p { (prose::LEGEND) "ratio: " (prose::RATIO) "." (prose::exact(digest)) }
            @if !run.plan.strategies.is_empty() { (budget.wide("Strategies", &strategies)) }
        }
        section {
            h2 id="threats" { "Threats to validity" }
            ul { @for threat in prose::threats(digest) { li { (threat) } } }
        }
        section {
            h2 id="machine" { "Machine" }
            @if run.host.facts.is_empty() { p { "Not recorded." } } @else { (budget.wide("Machine", &machine)) }
        }
        section {
            h2 id="command" { "Command and raw data" }
            pre { code { (prose::command(&run.header.command)) } }
            ul { @for (file, what) in RAW.into_iter().chain(AUDITS.filter(|_| !run.audits.is_empty())) { li { a href=(file) { (file) } ": " (what) } } }
        }
    }
}
