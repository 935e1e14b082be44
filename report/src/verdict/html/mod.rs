// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A comparison as one page in the style of `report.html`, without network or script:
//! the answer and both runs first, then what moved, then the evidence.

mod drawing;
mod table;

use super::{
    COLUMNS, Pair,
    heads::Fact,
    stat,
    view::{Room, View},
    words::{counted, outcome},
};
use crate::{clean, figure::Palette, html as page, prose};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use results::gate::Outcome;

/// With this many rows a page stays below 2 MB.
const ROOM: Room = Room {
    rows: 2500,
    moved: 25,
    same: true,
};

/// How many of the cells that a run lacks for one reason are named.
const CELLS_NAMED: usize = 20;

/// A family with more rows is folded away at first.
const FOLDED: usize = 40;

/// The two runs as one self-contained page.
pub(super) fn html(pair: &Pair<'_>) -> String {
    let view = View::of(pair, ROOM);
    let palette = Palette::of(pair.baseline);
    let signs = page::swatches(&palette);
    let styles = [
        include_str!("../../html/style.css"),
        include_str!("style.css"),
        &signs,
    ];
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Two runs of unmapbench: " (outcome(pair.comparison)) }
                style { @for style in styles { (PreEscaped(style)) } }
            }
            body {
                (head(pair, &view))
                main {
                    (heads(&view))
                    (table::listed("What moved", "moved", &view.moved, &palette))
                    (table::listed("What cannot be told", "open", &view.open, &palette))
                    (losses(&view))
                    (stats(&view))
                    @if !view.families.is_empty() { section {
                        h2 id="series" { "Every series" }
                        p.soft { (COLUMNS) }
                        @for family in &view.families { (table::family(family, &palette, FOLDED)) }
                    } }
                    (counts(&view))
                    (closing(pair, &view))
                }
            }
        }
    };
    clean::document(document.into_string() + "\n")
}

fn head(pair: &Pair<'_>, view: &View<'_>) -> Markup {
    let comparison = pair.comparison;
    let (class, sign) = match comparison.outcome() {
        Outcome::Regression => ("more", "▲ "),
        Outcome::Fine => ("less", "✓ "),
        Outcome::Inconclusive => ("open", "? "),
        Outcome::Nothing | Outcome::Unfit => ("open", ""),
    };
    html! {
        header {
            h1 { "Two runs side by side" }
            p.answer { strong class=(class) { (sign) (outcome(comparison)) } ": " (counted(comparison)) "." }
            @if !view.cautions.is_empty() {
                div.caution role="note" { @for caution in &view.cautions { p { (caution) } } }
            }
            nav aria-label="Sections" {
                a href="#runs" { "A and B" }
                @if !view.moved.0.is_empty() { a href="#moved" { "What moved" } }
                @if !view.open.0.is_empty() { a href="#open" { "What cannot be told" } }
                @if !view.losses.is_empty() { a href="#missing" { "Missing" } }
                @if !view.stats.is_empty() { a href="#workloads" { "By workload" } }
                @if !view.families.is_empty() { a href="#series" { "Every series" } }
                a href="#threats" { "Threats to validity" }
                a href="#commands" { "Commands" }
            }
        }
    }
}

/// Both runs, fact by fact.
fn heads(view: &View<'_>) -> Markup {
    let heads = &view.heads;
    let about = format!(
        "What made each run and on which machine; ≠ marks what differs. {} further facts are the same.",
        heads.same
    );
    html! { section {
        h2 id="runs" { "A and B" }
        (page::wide("A and B", &facts(&about, &heads.first)))
        @if !heads.further.is_empty() { details {
            summary { "Further facts that differ: " (heads.further.len()) }
            (page::wide("Further facts", &facts("Facts of the machines that differ.", &heads.further)))
        } }
    } }
}

fn facts(about: &str, facts: &[Fact]) -> Markup {
    html! { table.facts {
        caption { (about) }
        thead { tr {
            th scope="col" { "fact" }
            th scope="col" { "A: baseline" }
            th.sign scope="col" { span role="img" aria-label="differs" { "≠" } }
            th scope="col" { "B: current" }
        } }
        tbody { @for fact in facts {
            @let [a, b] = fact.shown();
            tr.differs[fact.differs()] {
                th scope="row" { (clean::shorten(&fact.name, 60)) }
                td { (a) }
                td.sign { @if fact.differs() { span role="img" aria-label="differs" { "≠" } } @else { "=" } }
                td { (b) }
            }
        } }
    } }
}

fn losses(view: &View<'_>) -> Markup {
    html! { @if !view.losses.is_empty() { section {
        h2 id="missing" { "Missing from one of the runs" }
        ul { @for loss in &view.losses {
            @let (some, more) = loss.some(CELLS_NAMED);
            li {
                (loss.title())
                ul {
                    @for cell in some { li { (cell) } }
                    @if more > 0 { li { "and " (more) " more" } }
                }
            }
        } }
    } } }
}

/// How many metrics of each workload did what.
fn stats(view: &View<'_>) -> Markup {
    let stirred: Vec<_> = view.stats.iter().filter(|s| s.stirs()).collect();
    let head = ["dearer ▲", "cheaper ▼", "open ?", "still", "gone", "new"];
    let table = html! { table.figures {
        caption { "Series and gated counts of each workload of which something is to be said." }
        thead { tr {
            th scope="col" { "workload" }
            @for name in head { th.num scope="col" { (name) } }
        } }
        tbody { @for s in stirred.iter().take(ROOM.rows / 10) { tr {
            th scope="row" { (clean::shorten(s.workload, 120)) " (" (s.testbed) ")" }
            @for n in [s.dearer, s.cheaper, s.open, s.still, s.gone, s.new] { td.num { (n) } }
        } } }
    } };
    html! { @if !view.stats.is_empty() { section {
        h2 id="workloads" { "By workload" }
        p { (stat::total(&view.stats)) "." }
        @if !stirred.is_empty() { (page::wide("By workload", &table)) }
    } } }
}

fn counts(view: &View<'_>) -> Markup {
    let grid = view.counts.grid();
    let rows = view.counts.rows.len();
    html! { @if rows > 0 || view.counts.same > 0 || !view.uncounted.is_empty() { section {
        h2 id="counts" { (grid.title) }
        p.soft { (grid.about) }
        @for sentence in &view.uncounted { p { (sentence) } }
        @if rows > 0 { details open[rows <= FOLDED] {
            summary { "Counts that changed: " (rows) " rows" }
            (page::wide(&grid.title, &page::grid(&grid)))
        } }
    } } }
}

fn closing(pair: &Pair<'_>, view: &View<'_>) -> Markup {
    html! {
        section {
            h2 id="threats" { "Threats to validity" }
            ul { @for threat in &view.threats { li { (threat) } } }
        }
        section {
            h2 id="commands" { "Commands" }
            @for (name, run) in [("A", pair.baseline), ("B", pair.current)] {
                h3 { "Command of " (name) }
                pre { code { (prose::command(&run.header.command)) } }
            }
        }
    }
}
