// SPDX-License-Identifier: Apache-2.0 OR MIT
//! GitHub-flavoured Markdown, for a pull request or an issue: folds are folded, and the whole
//! has room in one comment.

use super::{
    fit::fit,
    syntax::{escape, fence, table},
};
use crate::{
    clean,
    document::{
        Block, Document, Facts, Field, Fold, List, Missing, Moves, Span, Style, Table, Text,
    },
    number::Mark,
    shell,
};
use std::fmt::Write;

/// The longest comment that GitHub takes, in characters.
const MOST: usize = 65_536;

/// How many causes of what is missing are given.
const CAUSES: usize = 40;

/// The longest name, value or sentence that is not cut, so that one cannot take all the room.
const LONGEST: usize = 800;

/// The document as Markdown.
pub(crate) fn markdown(document: Document) -> String {
    let mut blocks = document.lead;
    blocks.extend(document.body);
    let size = |block: &Block| self::block(block).chars().count() + 1;
    let fitted = fit(pages(blocks), MOST - 2_000, &size);
    let mut out = all(&fitted.blocks);
    if !fitted.left_out.is_empty() {
        let names = fitted.left_out.join(", ");
        let names = cut(&names);
        let _ = write!(
            out,
            "\nA comment on GitHub takes {MOST} characters. Left out, and in report.html: {names}.\n"
        );
    }
    clean::document(out)
}

/// A table without its title.
pub(crate) fn bare(table: &Table) -> String {
    rows(table)
}

/// What a page shows of `blocks`.
fn pages(blocks: Vec<Block>) -> Vec<Block> {
    let shown = blocks.into_iter().flat_map(|block| match block {
        Block::Page(blocks) => pages(blocks),
        Block::Figure(_) => Vec::new(),
        Block::Fold(mut fold) => {
            fold.blocks = pages(fold.blocks);
            vec![Block::Fold(fold)]
        }
        block => vec![block],
    });
    shown.collect()
}

/// Blocks with a free line between any two.
fn all(blocks: &[Block]) -> String {
    let blocks = blocks.iter().map(block).filter(|text| !text.is_empty());
    blocks.collect::<Vec<_>>().join("\n")
}

/// A block, with a line feed at its end.
fn block(block: &Block) -> String {
    match block {
        Block::Heading(heading) => {
            let signs = "#".repeat(usize::from(heading.level));
            format!("{signs} {}\n", cut(&heading.text))
        }
        Block::Paragraph(text) => paragraph(text) + "\n",
        Block::Caution(text) => format!("> **{}**\n", cut(text)),
        Block::Note(text) => format!("**{}**\n", cut(text)),
        Block::List(list) => self::list(list),
        Block::Facts(facts) => self::facts(facts),
        Block::Table(table) => self::titled(table),
        Block::Moves(moves) => self::moves(moves),
        Block::Missing(causes) => missing(causes),
        Block::Command(words) => {
            let command = shell::command(words);
            let fence = fence(&command);
            format!("{fence}sh\n{command}\n{fence}\n")
        }
        Block::Fold(fold) => self::fold(fold),
        Block::Figure(_) | Block::Page(_) => String::new(),
    }
}

fn cut(text: &str) -> String {
    escape(&clean::shorten(text, LONGEST))
}

fn paragraph(text: &Text) -> String {
    let spans = text.0.iter().map(|span| match span {
        Span::Plain(text) => escape(text),
        // A code span ends at the next backtick, of which it has none.
        Span::Code(text) => format!("`{}`", clean::line(text)),
    });
    let mut out = String::new();
    // Escaping takes spaces from both ends of a span.
    for (span, text) in text.0.iter().zip(spans) {
        let (Span::Plain(raw) | Span::Code(raw)) = span;
        let before = raw.starts_with(char::is_whitespace) && !out.is_empty();
        out.push_str(if before { " " } else { "" });
        out.push_str(&text);
        out.push_str(if raw.ends_with(char::is_whitespace) {
            " "
        } else {
            ""
        });
    }
    out.trim().to_string()
}

fn list(list: &List) -> String {
    let mut out = String::new();
    for (item, lines) in &list.items {
        let _ = writeln!(out, "- {}", cut(item));
        for line in lines {
            let _ = writeln!(out, "  - {}", cut(line));
        }
    }
    match list.style {
        // They belong to the table above, of which they must not become a row.
        Style::Notes | Style::Names | Style::Bullets => out,
    }
}

fn facts(facts: &Facts) -> String {
    let mut header = vec!["fact"];
    header.extend(&facts.columns);
    let pairs = facts.columns.len() > 1;
    let rows = facts.rows.iter().map(|fact| {
        let mut row = vec![cut(&fact.name), cut(&fact.value)];
        if pairs {
            row.push(match &fact.other {
                Some(other) => format!("≠ {}", cut(other)),
                None => "=".to_string(),
            });
        }
        row
    });
    let mut out = String::new();
    table(&mut out, &header, header.len(), rows);
    match pairs {
        true => out,
        // What is looked up is folded away, as on a page.
        false => folded(&cut(&facts.caption), &out),
    }
}

fn titled(table: &Table) -> String {
    let mut out = String::new();
    if !table.title.is_empty() {
        let _ = write!(out, "**{}**\n\n", cut(&table.title));
    }
    out += &rows(table);
    if !table.about.is_empty() {
        let _ = write!(out, "\n{}\n", cut(&table.about));
    }
    out
}

fn rows(of: &Table) -> String {
    let named = of.named();
    let group = named.then(|| of.group.to_string());
    let columns = of.columns.iter().map(|name| escape(name));
    let header: Vec<String> = group.into_iter().chain(columns).collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let rows = of.groups.iter().flat_map(|(group, rows)| {
        rows.iter().map(move |row| {
            let group = named.then(|| escape(group));
            group.into_iter().chain(row.iter().map(field)).collect()
        })
    });
    let left = match of.prose {
        true => header.len(),
        false => 1 + usize::from(named),
    };
    let mut out = String::new();
    table(&mut out, &header, left, rows);
    out
}

fn field(field: &Field) -> String {
    let sign = field.mark.map_or("", Mark::sign);
    format!("{} {sign}", escape(&field.text)).trim().to_string()
}

fn moves(moves: &Moves) -> String {
    let mut out = String::new();
    let rows = moves.rows.iter().map(|row| {
        let counts = [row.more, row.less, row.open].map(|n| n.to_string());
        let name = cut(&row.workload);
        let other = row.other.clone();
        std::iter::once(name).chain(counts).chain([other]).collect()
    });
    let header = ["workload", "more ▲", "less ▼", "open ?", ""];
    if !moves.rows.is_empty() {
        table(&mut out, &header, 1, rows);
        out.push('\n');
    }
    let _ = writeln!(out, "{}", cut(&moves.total));
    out
}

fn missing(causes: &[Missing]) -> String {
    let mut out = String::new();
    let rows = causes.iter().take(CAUSES).map(|cause| {
        [&cause.who, &cause.scope, &cause.what, &cause.remedy]
            .map(|text| cut(text))
            .into()
    });
    table(
        &mut out,
        &["strategy", "where", "reason", "remedy"],
        4,
        rows,
    );
    if let Some(more @ 1..) = causes.len().checked_sub(CAUSES) {
        let _ = writeln!(out, "\n{more} more reasons; report.html has them.");
    }
    out
}

fn fold(fold: &Fold) -> String {
    folded(&cut(&fold.head.text), &all(&fold.blocks))
}

fn folded(title: &str, body: &str) -> String {
    format!("<details><summary>{title}</summary>\n\n{body}\n</details>\n")
}
