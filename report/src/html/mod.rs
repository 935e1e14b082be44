// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `report.html`: one file that needs no network, no script and no other file.
//!
//! The first screen answers the question (what the numbers are, then every
//! workload against every strategy); the sections after it are for whoever does
//! not believe the first screen. All text goes through maud, which escapes it.

mod answers;
mod budget;
mod closing;
mod evidence;
mod overview;
mod section;
mod table;

pub(crate) use evidence::grid;

use crate::{
    answer, clean,
    digest::{Bed, Digest},
    figure::Palette,
    grid::Grid,
    prose, tlb,
};
use budget::Budget;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use results::{Cell, Run, cell::Params};

/// The run as one self-contained page.
pub fn html(run: &Run) -> String {
    let digest = Digest::of(run);
    let palette = Palette::of(run);
    let mut budget = Budget::default();
    let translations: Vec<Vec<Grid>> = digest.beds.iter().map(tlb::of).collect();
    let style = PreEscaped(include_str!("style.css").to_string() + &swatches(&palette));
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "What hiding guest memory costs" }
                style { (style) }
            }
            body {
                (head(&digest, &translations))
                main {
                    @if digest.beds.is_empty() { p { "The record holds no cell: nothing was run." } }
                    @for bed in &digest.beds { (answers::glances(&digest, bed, &palette, &mut budget)) }
                    (answers::answers(&answer::of(&digest), &mut budget))
                    @for bed in &digest.beds {
                        (overview::overview(bed, &palette, &mut budget))
                        (section::ratios(bed, &palette, &mut budget))
                    }
                    (closing::gaps(&digest, &mut budget))
                    @for (bed, grids) in digest.beds.iter().zip(&translations) {
                        @for family in &bed.families {
                            (section::family(bed, family, &palette, &mut budget))
                        }
                        (section::translation(bed, grids, &palette, &mut budget))
                    }
                    (evidence::isolation(&digest, &palette, &mut budget))
                    (evidence::direct_map(&digest, &mut budget))
                    (closing::closing(&digest, &mut budget))
                }
            }
        }
    };
    budget.fill(page.into_string() + "\n", budget::PAGE)
}

fn head(digest: &Digest<'_>, translations: &[Vec<Grid>]) -> Markup {
    let cautions = prose::cautions(digest);
    let machine = ["cpu.model", "kernel", "kvm.flavour"].map(|name| digest.run.host.get(name));
    let machine: Vec<&str> = machine.into_iter().flatten().collect();
    html! {
        header {
            h1 { "What hiding guest memory costs" }
            p.soft {
                (prose::identity(digest.run).join(" · "))
                @if !machine.is_empty() { br; (machine.join(" · ")) }
            }
            @if !cautions.is_empty() {
                div.caution role="note" { @for caution in &cautions { p { (caution) } } }
            }
            nav aria-label="Sections" {
                @if !digest.beds.is_empty() { a href="#questions" { "Questions and answers" } }
                @for bed in &digest.beds {
                    @for family in &bed.families {
                        a href={ "#" (anchor(bed, &family.name)) } { (clean::shorten(&family.name, 40)) " (" (bed.testbed) ")" }
                    }
                }
                @for (bed, _) in digest.beds.iter().zip(translations).filter(|(_, grids)| !grids.is_empty()) {
                    a href={ "#" (section::translation_anchor(bed)) } { "translation (" (bed.testbed) ")" }
                }
                @for evidence in crate::evidence::of(digest.run) {
                    a href={ "#" (evidence::isolation_anchor(evidence.testbed)) } { "isolation (" (evidence.testbed) ")" }
                }
                @for bed in &digest.beds {
                    a href={ "#" (evidence::direct_map_anchor(bed.testbed)) } { "direct map (" (bed.testbed) ")" }
                }
                a href="#threats" { "Threats to validity" }
                a href="#machine" { "Machine" }
                a href="#command" { "Command and raw data" }
            }
        }
    }
}

/// The id of a family's section: made of the index, because a name may hold
/// anything.
fn anchor(bed: &Bed<'_>, family: &str) -> String {
    let index = bed.families.iter().take_while(|f| f.name != family).count();
    format!("{}-{index}", bed.testbed)
}

/// A box that scrolls sideways by itself, also from the keyboard.
pub(crate) fn wide(label: &str, body: &Markup) -> Markup {
    html! { div.wide tabindex="0" role="region" aria-label=(clean::shorten(label, 200)) { (body) } }
}

/// An arm's name behind its colour, hollow if it is not of the defaults.
fn strategy(name: &str, mode: &Params, palette: &Palette) -> Markup {
    html! {
        i class={ "c" (palette.hex(name)) @if !mode.is_empty() { " hollow" } } { "\u{a0}" }
        (name)
        @for (parameter, value) in mode { " " span.mode { (parameter) "=" (value) } }
    }
}

/// The same of a cell.
pub(crate) fn arm(cell: &Cell, palette: &Palette) -> Markup {
    strategy(&cell.strategy, &cell.mode, palette)
}

/// A class for each colour of an arm's sign.
pub(crate) fn swatches(palette: &Palette) -> String {
    let rule = |hex: &String| format!(".c{hex} {{ background: #{hex}; }}\n");
    palette.hexes().iter().map(rule).collect()
}
