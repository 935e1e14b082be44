// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What stands beside the figures as proof: who could read an arm's memory, and
//! how often KVM did what the arms differ in.

use super::{strategy, wide};
use crate::{
    counters::{self, Counters},
    digest::{Digest, Family},
    evidence::{self, READERS},
    figure::Palette,
    matrix,
};
use maud::{Markup, html};

/// Every arm against every reader, one table a testbed.
pub(super) fn isolation(digest: &Digest<'_>, palette: &Palette) -> Markup {
    html! { @for evidence in evidence::of(digest.run) {
        @let title = format!("Isolation evidence: {}", evidence.testbed);
        @let table = html! {
            table.words {
                caption { (evidence.summary()) }
                thead { tr {
                    th scope="col" { "strategy" }
                    @for (_, name) in READERS { th scope="col" { (name) } }
                    th scope="col" { "claims to be" }
                    th scope="col" { "holds" }
                } }
                tbody { @for audit in &evidence.audits { tr {
                    th scope="row" { (strategy(&audit.strategy, &audit.mode, palette)) }
                    @for (reader, _) in READERS {
                        @let finding = evidence::finding(audit, reader);
                        td {
                            strong { (evidence::word(finding)) }
                            span.between { (finding.map_or("not tried", |f| f.seen.as_str())) }
                        }
                    }
                    td { (evidence::claim(audit)) }
                    td { @match evidence::holds(audit) {
                        "NO" => strong.more { "NO" },
                        holds => (holds),
                    } }
                } } }
            }
        };
        section {
            h2 { (title) }
            p.soft { (evidence::ABOUT) }
            (wide(&title, &table))
        }
    } }
}

/// Which backend of a family works with which arm.
pub(super) fn backends(family: &Family<'_>) -> Markup {
    let Some(matrix) = matrix::of(family) else {
        return html! {};
    };
    let table = html! { table {
        thead { tr {
            th scope="col" { "backend" }
            @for arm in &matrix.arms { th scope="col" { (arm) } }
        } }
        tbody { @for (backend, verdicts) in &matrix.rows { tr {
            th scope="row" { (backend) }
            @for verdict in verdicts { td { (verdict.to_string()) } }
        } } }
    } };
    html! { h3 { (matrix::TITLE) } (wide(matrix::TITLE, &table)) }
}

/// The counters of a family, folded away.
pub(super) fn counters(family: &Family<'_>) -> Markup {
    html! { @for counters in counters::of(family) { details {
        summary { (counters.title) }
        (wide(&counters.title, &counted(&counters)))
    } } }
}

fn counted(counters: &Counters) -> Markup {
    html! { table.counters {
        thead { tr {
            th scope="col" { "workload" }
            th scope="col" { "strategies with these counts" }
            @for name in &counters.columns { th.num scope="col" { (name) } }
        } }
        tbody { @for (group, arms, counts) in &counters.rows { tr {
            th scope="row" { (group) }
            td { (arms.join(", ")) }
            @for count in counts { td.num { (count) } }
        } } }
    } }
}
