// SPDX-License-Identifier: Apache-2.0 OR MIT
//! One file that needs no network, no script and no other file. All text goes through maud,
//! which escapes it.
//!
//! The page never scrolls sideways: tables and figures stand in boxes that do, also from the
//! keyboard. Every heading has an address, and those of level 2 stand in a list of links.

use super::fit::{Fitted, fit};
use crate::{
    clean,
    document::{
        Block, Document, Facts, Field, Figure, Fold, Heading, List, Missing, Moves, Span, Table,
        Text,
    },
    figure::Palette,
    number::Mark,
    shell,
};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use results::cell::Params;
use std::{cell::RefCell, collections::BTreeMap};

/// The size of a page, in bytes: 2 MB less a margin for what is around its blocks.
const MOST: usize = 1_900_000;

/// How many causes of what is missing are given.
const CAUSES: usize = 1_000;

/// The longest text of a heading or of a link.
const TITLE: usize = 200;

/// The document as one self-contained page, in the colours of `palette`.
pub(crate) fn html(document: Document, palette: &Palette) -> String {
    let page = Page {
        palette,
        labels: RefCell::default(),
        heading: RefCell::default(),
    };
    let lead = pages(document.lead);
    let head = lead.iter().position(|block| match block {
        Block::Heading(heading) => heading.level > 1,
        _ => false,
    });
    let body = lead.len() + pages(Vec::new()).len();
    let mut blocks = lead;
    blocks.extend(pages(document.body));
    let size = |block: &Block| page.block(block).0.len();
    let Fitted {
        mut blocks,
        left_out,
    } = fit(blocks, MOST, &size);
    address(&mut blocks, &mut Names::default());
    page.labels.take();
    let (head, main) = blocks.split_at(head.unwrap_or(body));
    let title = head.iter().find_map(|block| match block {
        Block::Heading(heading) => Some(heading.text.as_str()),
        _ => None,
    });
    let [top, cautions]: [Vec<&Block>; 2] = [false, true].map(|caution| {
        let of = |block: &&Block| matches!(block, Block::Caution(_)) == caution;
        head.iter().filter(of).collect()
    });
    let links = links(main);
    let style = include_str!("style.css").to_string() + &swatches(palette);
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title.unwrap_or("unmapbench")) }
                style { (PreEscaped(style)) }
            }
            body {
                header {
                    @for block in top { (page.block(block)) }
                    @if !cautions.is_empty() { div.caution role="note" {
                        @for block in cautions { (page.block(block)) }
                    } }
                    nav aria-label="Sections" {
                        @for (id, text) in &links { a href={ "#" (id) } { (text) } }
                    }
                }
                main {
                    @for block in main { (page.block(block)) }
                    @if !left_out.is_empty() {
                        h2 id="left-out" { "Left out to keep this page below 2 MB" }
                        p { (clean::shorten(&left_out.join(", "), 20_000)) ": samples.jsonl has their data." }
                    }
                }
            }
        }
    };
    clean::document(document.into_string() + "\n")
}

/// `blocks` with what only pages show.
fn pages(blocks: Vec<Block>) -> Vec<Block> {
    let shown = blocks.into_iter().flat_map(|block| match block {
        Block::Page(blocks) => pages(blocks),
        Block::Fold(mut fold) => {
            fold.blocks = pages(fold.blocks);
            vec![Block::Fold(fold)]
        }
        block => vec![block],
    });
    shown.collect()
}

/// Makes the addresses of headings unique.
fn address(blocks: &mut [Block], names: &mut Names) {
    for block in blocks {
        match block {
            Block::Heading(head) => head.id = names.claim(&head.id),
            Block::Fold(fold) => {
                fold.head.id = names.claim(&fold.head.id);
                address(&mut fold.blocks, names);
            }
            _ => {}
        }
    }
}

/// The address and the text of each heading of level 2, each text once.
fn links(blocks: &[Block]) -> Vec<(&str, String)> {
    let mut links: Vec<(&str, String)> = Vec::new();
    for block in blocks {
        let (Block::Heading(head) | Block::Fold(Fold { head, .. })) = block else {
            continue;
        };
        // A remark in brackets at its end is for the heading.
        let text = match head.text.split_once(" (") {
            Some((text, remark)) if remark.find(')') == Some(remark.len() - 1) => text,
            _ => &head.text,
        };
        let text = clean::shorten(text, 60);
        if head.level == 2 && links.iter().all(|(_, known)| *known != text) {
            links.push((&head.id, text));
        }
    }
    links
}

/// Names that are given once.
#[derive(Debug, Default)]
struct Names(BTreeMap<String, usize>);

impl Names {
    /// `name`, with a number behind it if it is taken.
    fn claim(&mut self, name: &str) -> String {
        let mut claimed = name.to_string();
        while self.0.contains_key(&claimed) {
            let n = self.0.entry(name.to_string()).or_insert(1);
            *n += 1;
            claimed = format!("{name}-{n}");
        }
        self.0.insert(claimed.clone(), 1);
        claimed
    }
}

/// What is known while a page is written.
struct Page<'p> {
    palette: &'p Palette,
    /// The labels of boxes that are taken.
    labels: RefCell<Names>,
    /// The last heading, which names a table that has no title.
    heading: RefCell<String>,
}

impl Page<'_> {
    fn block(&self, block: &Block) -> Markup {
        match block {
            Block::Heading(head) => {
                let text = self.heading(head);
                match head.level {
                    1 => html! { h1 id=(head.id) { (text) } },
                    2 => html! { h2 id=(head.id) { (text) } },
                    _ => html! { h3 id=(head.id) { (text) } },
                }
            }
            Block::Paragraph(text) => html! { p { (spans(text)) } },
            Block::Caution(text) => html! { p { (text) } },
            Block::Note(text) => html! { p.missing { (text) } },
            Block::List(list) => self::list(list),
            Block::Facts(facts) => self.facts(facts),
            Block::Table(table) => self.table(table),
            Block::Moves(moves) => self.moves(moves),
            Block::Missing(causes) => self.missing(causes),
            Block::Command(words) => html! { pre { code { (shell::command(words)) } } },
            Block::Figure(figure) => self.figure(figure),
            Block::Fold(fold) => {
                let text = self.heading(&fold.head);
                html! { details id=(fold.head.id) {
                    summary { @if fold.head.level == 2 { h2 { (text) } } @else { h3 { (text) } } }
                    @for block in &fold.blocks { (self.block(block)) }
                } }
            }
            Block::Page(_) => html! {},
        }
    }

    /// The text of a heading, which names what has no title below it.
    fn heading(&self, head: &Heading) -> String {
        let text = clean::shorten(&head.text, TITLE);
        self.heading.replace(text.clone());
        text
    }

    /// A box that scrolls sideways by itself. `label` is made unique, so that a list of the
    /// boxes tells them apart.
    fn wide(&self, label: &str, body: &Markup) -> Markup {
        let label = clean::document(clean::shorten(label, TITLE));
        let label = self.labels.borrow_mut().claim(&label);
        html! { div.wide tabindex="0" role="region" aria-label=(label) { (body) } }
    }

    /// The title of a table, or that of what it stands below.
    fn caption(&self, title: &str) -> String {
        match title {
            "" => self.heading.borrow().clone(),
            title => clean::shorten(title, 2 * TITLE),
        }
    }

    fn table(&self, of: &Table) -> Markup {
        let caption = self.caption(&of.title);
        let named = of.named();
        let group = named.then_some(of.group);
        let heads = group
            .into_iter()
            .chain(of.columns.iter().map(String::as_str));
        let table = html! { table.figures[!of.prose].prose[of.prose].named[named] {
            // What the heading above says is told to those who jump from table to table.
            caption.same[of.title.is_empty() && of.about.is_empty()] {
                strong { (caption) }
                @if !of.about.is_empty() { " " (of.about) }
            }
            thead { tr { @for name in heads {
                @if name.is_empty() { td {} } @else { th scope="col" { (name) } }
            } } }
            @for (group, rows) in &of.groups { tbody { @for (i, row) in rows.iter().enumerate() { tr {
                @if named && i == 0 {
                    th scope="rowgroup" rowspan=[(rows.len() > 1).then_some(rows.len())] {
                        @if group.is_empty() { "all" } @else { (group) }
                    }
                }
                // A row without a name goes on with the one above it.
                @let name = rows[..=i].iter().rev().filter_map(|row| row.first()).find(|f| !f.text.is_empty());
                @for (i, field) in row.iter().enumerate() {
                    @if i == 0 { th scope="row" { (self.field(name.unwrap_or(field))) } }
                    @else { td { (self.field(field)) } }
                }
            } } } }
        } };
        self.wide(&caption, &table)
    }

    /// Text behind its sign: colour never stands alone.
    fn field(&self, field: &Field) -> Markup {
        let text = match field.arms.is_empty() {
            true => html! { (field.text) },
            false => html! { @for (i, (strategy, mode)) in field.arms.iter().enumerate() {
                @if i > 0 { ", " }
                (self.arm(strategy, mode))
            } },
        };
        let marked = |class: &str, label: &str, sign: &str| {
            html! { span class=(class) { (text) " " span role="img" aria-label=(label) { (sign) } } }
        };
        match field.mark {
            Some(mark @ Mark::More) => marked("more", "more", mark.sign()),
            Some(mark @ Mark::Less) => marked("less", "less", mark.sign()),
            Some(Mark::Open) | None => text,
        }
    }

    /// An arm's name behind its colour, hollow if it is not of the defaults.
    fn arm(&self, strategy: &str, mode: &Params) -> Markup {
        html! {
            i class={ "c" (self.palette.hex(strategy)) @if !mode.is_empty() { " hollow" } } { "\u{a0}" }
            (strategy)
            @for (parameter, value) in mode { " " (parameter) "=" (value) }
        }
    }

    fn facts(&self, facts: &Facts) -> Markup {
        let caption = self.caption(&facts.caption);
        let pairs = facts.columns.len() > 1;
        let table = html! { table.prose {
            caption { (caption) }
            thead { tr {
                th scope="col" { "fact" }
                @for name in &facts.columns { th scope="col" { (name) } }
            } }
            tbody { @for fact in &facts.rows { tr {
                th scope="row" { (fact.name) }
                td { (fact.value) }
                @if pairs { @match &fact.other {
                    Some(other) => td.differs { span role="img" aria-label="differs" { "≠" } " " (other) },
                    None => td { "=" },
                } }
            } } }
        } };
        let table = self.wide(&caption, &table);
        // What is looked up is folded away; what differs is to be seen.
        match pairs {
            true => table,
            false => html! { details { summary { (caption) } (table) } },
        }
    }

    fn moves(&self, moves: &Moves) -> Markup {
        let head = ["more ▲", "less ▼", "open ?", "other"];
        let table = html! { table.figures {
            caption { (moves.caption) }
            thead { tr {
                th scope="col" { "workload" }
                @for name in head { th scope="col" { (name) } }
            } }
            tbody { @for row in &moves.rows { tr {
                th scope="row" { (clean::shorten(&row.workload, TITLE)) }
                @for n in [row.more, row.less, row.open] { td { (n) } }
                td { (row.other) }
            } } }
        } };
        html! {
            @if !moves.rows.is_empty() { (self.wide(&moves.caption, &table)) }
            p { (moves.total) "." }
        }
    }

    fn missing(&self, causes: &[Missing]) -> Markup {
        let caption = "What is missing, by its cause";
        let table = html! { table.prose {
            caption { (caption) }
            thead { tr { @for name in ["strategy", "where", "reason", "remedy"] { th scope="col" { (name) } } } }
            tbody { @for cause in causes.iter().take(CAUSES) { tr {
                th scope="row" { (cause.who) }
                td { (cause.scope) }
                td { (cause.what) }
                td { (cause.remedy) }
            } } }
        } };
        html! {
            (self.wide(caption, &table))
            @if let Some(more @ 1..) = causes.len().checked_sub(CAUSES) { p { (more) " more reasons." } }
        }
    }

    fn figure(&self, figure: &Figure) -> Markup {
        let drawn = self.wide(&figure.title, &html! { (PreEscaped(&figure.svg)) });
        html! { figure {
            (drawn)
            figcaption { (figure.title) ". " (figure.caption) }
        } }
    }
}

fn spans(text: &Text) -> Markup {
    html! { @for span in &text.0 { @match span {
        Span::Plain(text) => (text),
        Span::Code(text) => code { (text) },
    } } }
}

fn list(list: &List) -> Markup {
    html! { ul { @for (item, lines) in &list.items { li {
        (item)
        @if !lines.is_empty() { ul { @for line in lines { li { (line) } } } }
    } } } }
}

/// A class for each colour of an arm's sign.
fn swatches(palette: &Palette) -> String {
    let rule = |hex: &String| format!(".c{hex} {{ background: #{hex}; }}\n");
    palette.hexes().iter().map(rule).collect()
}
