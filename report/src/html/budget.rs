// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Keeps a page within its size, whatever the run holds.
//!
//! A page is written with marks where its tables and figures stand; they are kept
//! beside it. When all is known, tables go in while there is room, in the order of
//! the page, and figures get what tables left, in rounds. In place of what does not fit
//! stands its name and the file that has it, for which room was kept from the
//! beginning.
//!
//! A mark is a comment of HTML. Text of a record cannot make one, because maud
//! escapes `<` in all of it.

use crate::{
    Error, clean,
    figure::{Figure, Names, Worth},
};
use maud::{Markup, PreEscaped, html};
use std::collections::BTreeMap;

/// The size of a page, in bytes: 2 MB less a margin for what nobody thought of.
pub(super) const PAGE: usize = 1_950_000;

/// How much of it may be names of what was left out; beyond that they are counted.
const NAMES: usize = 150_000;

/// Room for the sentence around such names.
const SENTENCE: usize = 400;

/// What a page can do without.
pub(super) struct Piece {
    kind: Kind,
    /// What stands in its place.
    name: Markup,
    body: String,
    /// The size of `body`, even where that was not kept.
    size: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Table,
    /// One that sums up what others show one by one.
    Main,
    Figure,
}

/// Pieces that stand together.
struct Hole {
    pieces: Vec<Piece>,
    /// If they are figures folded away, of what.
    fold: Option<String>,
}

/// What stands in the holes of a page, and what has been named in it.
#[derive(Default)]
pub(super) struct Budget {
    holes: Vec<Hole>,
    figures: Names,
    labels: BTreeMap<String, usize>,
    /// Bytes of figures that are kept.
    kept: usize,
}

impl Piece {
    /// Folds it away behind `summary`.
    pub(super) fn fold(&mut self, summary: &str) {
        let folded = html! { details { summary { (summary) } (PreEscaped(&self.body)) } };
        self.body = clean::document(folded.into_string());
        self.size = self.body.len();
    }
}

impl Budget {
    /// A box that scrolls sideways by itself, also from the keyboard. `label` is
    /// made unique, so that a list of the boxes tells them apart.
    pub(super) fn wide(&mut self, label: &str, body: &Markup) -> Markup {
        let label = clean::document(clean::shorten(label, 190));
        let n = self.labels.entry(label.clone()).or_default();
        *n += 1;
        let label = match n {
            1 => label,
            n => format!("{label} ({n})"),
        };
        super::wide(&label, body)
    }

    /// A table called `name`.
    pub(super) fn table(&mut self, name: &str, body: Markup) -> Piece {
        let body = clean::document(body.into_string());
        Piece {
            kind: Kind::Table,
            name: clean(html! { (clean::shorten(name, 200)) }),
            size: body.len(),
            body,
        }
    }

    /// A figure on `bed`, or why there is none; nothing if it is worth a file alone.
    pub(super) fn figure(&mut self, figure: Result<Figure, Error>, bed: &str) -> Option<Piece> {
        let (kind, name, body) = match figure {
            Err(error) => (
                Kind::Main,
                html! { "a figure" },
                html! { p.hole { (error.to_string()) } },
            ),
            Ok(figure) => {
                let name = self.figures.claim(&figure.name);
                let kind = match figure.worth {
                    Worth::Main => Kind::Main,
                    Worth::Detail => Kind::Figure,
                    Worth::File => return None,
                };
                let file = format!("figures/{name}.svg");
                let label = format!("{} ({bed})", figure.title);
                let drawn = self.wide(&label, &html! { (PreEscaped(&figure.svg)) });
                let body = html! { figure {
                    (drawn)
                    figcaption { (figure.title) ". " (figure.caption) }
                } };
                (kind, html! { a href=(file) { (name) } }, body)
            }
        };
        let mut body = clean::document(body.into_string());
        let size = body.len();
        // What the page cannot hold in any case need not be kept in memory.
        self.kept += size;
        if self.kept > PAGE {
            body = String::new();
        }
        Some(Piece {
            kind,
            name,
            body,
            size,
        })
    }

    /// The place of `pieces`.
    pub(super) fn place(&mut self, pieces: Vec<Piece>) -> Markup {
        self.hole(pieces, None)
    }

    /// The place of figures of `what`, folded away.
    pub(super) fn fold(&mut self, what: &str, figures: Vec<Piece>) -> Markup {
        self.hole(figures, Some(clean::document(clean::shorten(what, 100))))
    }

    fn hole(&mut self, pieces: Vec<Piece>, fold: Option<String>) -> Markup {
        if pieces.is_empty() {
            return html! {};
        }
        self.holes.push(Hole { pieces, fold });
        PreEscaped(mark(self.holes.len() - 1))
    }

    /// `page` with its holes filled, at most `most` bytes if what is outside the holes
    /// leaves room for that.
    pub(super) fn fill(self, page: String, most: usize) -> String {
        let page = clean::document(page);
        let order = self.order();
        let mut names = 0;
        let mut costs = vec![0; order.len()];
        for (i, piece) in &order {
            let cost = piece.name.0.len() + 2;
            names += cost;
            costs[*i] = if names <= NAMES { cost } else { 0 };
        }
        let mut size = page.len() + self.holes.len() * SENTENCE + costs.iter().sum::<usize>();
        let mut holds = vec![false; costs.len()];
        for (i, piece) in order {
            let with = size - costs[i] + piece.size;
            if with <= most && !piece.body.is_empty() {
                size = with;
                holds[i] = true;
            }
        }
        let mut out = String::with_capacity(size);
        let mut firsts = Vec::new();
        let mut first = 0;
        for hole in &self.holes {
            firsts.push(first);
            first += hole.pieces.len();
        }
        let mut parts = page.split(OPEN);
        out += parts.next().unwrap_or_default();
        for part in parts {
            let (hole, after) = part.split_once(CLOSE).unwrap_or((part, ""));
            let hole = hole.parse().unwrap_or(self.holes.len());
            if let (Some(hole), Some(first)) = (self.holes.get(hole), firsts.get(hole)) {
                let here = *first..first + hole.pieces.len();
                out += &hole.filled(&holds[here.clone()], &costs[here]).0;
            }
            out += after;
        }
        out
    }

    /// The pieces in the order in which they get room: tables as they come, figures that
    /// sum up, then the first of the other figures of each hole, the second of each, and
    /// so on, so that no workload takes the room of all others.
    fn order(&self) -> Vec<(usize, &Piece)> {
        let mut order = Vec::new();
        for hole in &self.holes {
            let mut figures = 0;
            for piece in &hole.pieces {
                let round = match piece.kind {
                    Kind::Table => 0,
                    Kind::Main => 1,
                    Kind::Figure => {
                        figures += 1;
                        figures + 1
                    }
                };
                order.push((round, order.len(), piece));
            }
        }
        order.sort_by_key(|(round, ..)| *round);
        order.into_iter().map(|(_, i, piece)| (i, piece)).collect()
    }
}

impl Hole {
    /// The pieces that `holds` has, and the names of the others that have a cost.
    fn filled(&self, holds: &[bool], costs: &[usize]) -> Markup {
        let held = || self.pieces.iter().zip(holds).filter(|(_, held)| **held);
        let bodies = html! { @for (piece, _) in held() { (PreEscaped(&piece.body)) } };
        let missing = |tables: bool| -> Vec<(&Piece, bool)> {
            let all = self.pieces.iter().zip(holds.iter().zip(costs));
            let all =
                all.filter(|(piece, (held, _))| !**held && (piece.kind == Kind::Table) == tables);
            all.map(|(piece, (_, cost))| (piece, *cost > 0)).collect()
        };
        html! {
            @match (&self.fold, held().count()) {
                (None, _) => (bodies),
                (Some(_), 0) => {},
                (Some(what), n) => details { summary { (counted(n, "figure")) " of " (what) } (bodies) },
            }
            (left_out("table", "samples in samples.csv, all else in samples.jsonl", &missing(true)))
            (left_out("figure", "a file in figures/ each", &missing(false)))
        }
    }
}

fn clean(markup: Markup) -> Markup {
    PreEscaped(clean::document(markup.into_string()))
}

/// What is not in the page and where it is: a sentence, behind it the names.
fn left_out(what: &str, instead: &str, pieces: &[(&Piece, bool)]) -> Markup {
    let named: Vec<&Piece> = pieces.iter().filter(|(_, n)| *n).map(|(p, _)| *p).collect();
    let more = pieces.len() - named.len();
    html! { @if !pieces.is_empty() { details.left {
        summary { (counted(pieces.len(), what)) " left out to keep this page below 2 MB: " (instead) }
        p {
            @for (i, piece) in named.iter().enumerate() { @if i > 0 { ", " } (piece.name) }
            @if more > 0 { @if !named.is_empty() { " and " } (more) " without room for their names" }
            "."
        }
    } } }
}

fn counted(n: usize, what: &str) -> String {
    match n {
        1 => format!("1 {what}"),
        n => format!("{n} {what}s"),
    }
}

/// What a mark begins and ends with; nothing else of a page does.
const OPEN: &str = "<!--";
const CLOSE: &str = "-->";

fn mark(hole: usize) -> String {
    format!("{OPEN}{hole}{CLOSE}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(name: &str, size: usize) -> Result<Figure, Error> {
        Ok(Figure {
            name: name.into(),
            title: name.into(),
            caption: String::new(),
            svg: "s".repeat(size),
            csv: String::new(),
            worth: Worth::Detail,
        })
    }

    /// A page of a table and two figures.
    fn page(most: usize) -> String {
        let mut budget = Budget::default();
        let table = budget.table("a table", html! { ("t".repeat(2000)) });
        let figures = ["a", "b"].map(|name| budget.figure(figure(name, 3000), "lab").unwrap());
        let page = html! { (budget.place(figures.into())) (budget.place(vec![table])) };
        budget.fill(page.into_string(), most)
    }

    #[test]
    fn figures_yield_before_tables_and_are_named() {
        let check = |most: usize, held: [bool; 3]| {
            let page = page(most);
            assert!(page.len() <= most, "{} of {most}", page.len());
            let found = ["ttt", "a\"><sss", "b\"><sss"];
            let found = [
                page.contains(found[0]),
                page.matches("sss").count() > 0,
                page.matches("figure>").count() > 2,
            ];
            assert_eq!(found, held, "{page}");
            assert_eq!(page.contains("<p>a table.</p>"), !held[0]);
            assert_eq!(page.contains("figures/b.svg"), !held[2]);
        };
        check(20_000, [true, true, true]);
        check(7_000, [true, true, false]);
        check(4_000, [true, false, false]);
        check(1_500, [false, false, false]);
    }

    #[test]
    fn what_has_no_name_is_counted() {
        let mut budget = Budget::default();
        let tables = (0..2000).map(|i| format!("{i:0>100}")).collect::<Vec<_>>();
        let tables = tables
            .iter()
            .map(|name| budget.table(name, html! { ("t".repeat(2000)) }))
            .collect();
        let page = budget.place(tables).into_string();
        let page = budget.fill(page, 200_000);
        assert!(page.len() <= 200_000);
        assert!(page.contains("0, 000") && page.contains(" without room"));
    }

    #[test]
    fn boxes_have_names_of_their_own() {
        let mut budget = Budget::default();
        let boxes = [(); 2].map(|()| budget.wide("x", &html! {}).into_string());
        assert!(boxes[0].contains("\"x\"") && boxes[1].contains("\"x (2)\""));
    }
}
