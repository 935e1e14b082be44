// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a page tells those who do not see it, or see it small: read by a parser of
//! HTML as browsers have it, and checked against what WCAG 2.1 asks of such a page.
//! The rules are those that automatic checkers hold; what only a person can judge,
//! such as whether a name is a good one, is not here.

use crate::{
    disk, runs, strange, tlb,
    tree::{self, Node},
};
use results::Run;
use std::collections::{BTreeMap, BTreeSet};

fn pages() -> Vec<(&'static str, Run)> {
    vec![
        ("realistic", runs::realistic(40)),
        ("only-missing", runs::only_missing()),
        ("no-baseline", runs::no_baseline()),
        ("one-sample", runs::one_sample()),
        ("fake-and-lab", runs::fake_and_lab()),
        ("lab", runs::lab()),
        ("disk", disk::disk()),
        ("tlb", tlb::tlb()),
        ("hostile", runs::hostile()),
        ("evil", strange::evil()),
        ("thousands", strange::thousands()),
    ]
}

fn name(element: &Node) -> String {
    let label = element.attr("aria-label").map(str::to_string);
    label.unwrap_or_else(|| element.text())
}

/// Every defect of a page, a line each.
fn defects(html: &str) -> Vec<String> {
    let page = tree::page(html);
    let mut found: Vec<String> = Vec::new();
    head(&page, &mut found);
    headings(&page, &mut found);
    landmarks(&page, &mut found);
    targets(&page, &mut found);
    names(&page, &mut found);
    for table in page.named(&["table"]) {
        grid(table, &mut found);
    }
    found
}

fn head(page: &Node, found: &mut Vec<String>) {
    if page.attr("lang") != Some("en") {
        found.push("the page has no language".into());
    }
    let head = &page.children[0];
    let titles = head.named(&["title"]);
    if titles.len() != 1 || titles[0].text().is_empty() {
        found.push("the page has no title".into());
    }
    let viewport = head.all(&|node| node.attr("name") == Some("viewport"));
    let zooms: Vec<&str> = viewport.iter().filter_map(|v| v.attr("content")).collect();
    let fixed = |content: &&str| content.contains("scal") && content.contains("no");
    if zooms.len() != 1 || zooms.iter().any(fixed) {
        found.push("the page cannot be zoomed".into());
    }
}

fn headings(page: &Node, found: &mut Vec<String>) {
    let mut before = 0;
    let mut firsts = 0;
    for heading in page.named(&["h1", "h2", "h3", "h4", "h5", "h6"]) {
        let level: usize = heading.name[1..].parse().expect("a digit");
        firsts += usize::from(level == 1);
        if level > before + 1 {
            found.push(format!("h{level} after h{before}: {}", heading.text()));
        }
        if heading.text().is_empty() {
            found.push(format!("an empty h{level}"));
        }
        before = level;
    }
    if firsts != 1 {
        found.push(format!("{firsts} first headings"));
    }
}

fn landmarks(page: &Node, found: &mut Vec<String>) {
    let body = &page.children[1];
    for mark in ["header", "main"] {
        if body
            .children
            .iter()
            .filter(|child| child.is(&[mark]))
            .count()
            != 1
        {
            found.push(format!("not one {mark}"));
        }
    }
    if page.named(&["nav"]).len() != 1 {
        found.push("not one nav".into());
    }
    for child in &body.children {
        if !child.is(&["header", "main", "footer"]) {
            found.push(format!("{} outside of every landmark", child.name));
        }
    }
    let mut seen = BTreeSet::new();
    let region = |node: &Node| node.attr("role") == Some("region") || node.is(&["nav"]);
    for region in page.all(&region) {
        let label = region.attr("aria-label").unwrap_or_default().trim();
        if label.is_empty() {
            found.push("a region without a name".into());
        } else if !seen.insert(label.to_string()) {
            found.push(format!("two regions are called {label}"));
        }
    }
    boxes(page, false, found);
}

/// Whatever is wide stands in a box that scrolls and can be reached from the keyboard.
fn boxes(node: &Node, mut boxed: bool, found: &mut Vec<String>) {
    if node.attr("class") == Some("wide") {
        boxed = true;
        if node.attr("tabindex") != Some("0") || node.attr("role") != Some("region") {
            found.push("a box that scrolls cannot be reached".into());
        }
    }
    if node.is(&["table", "svg"]) && !boxed {
        found.push("a table or figure outside of a box that scrolls".into());
    }
    for child in &node.children {
        boxes(child, boxed, found);
    }
}

fn targets(page: &Node, found: &mut Vec<String>) {
    let mut ids = BTreeMap::new();
    for element in page.all(&|node| node.attr("id").is_some()) {
        *ids.entry(element.attr("id").unwrap_or_default())
            .or_insert(0) += 1;
    }
    for (id, n) in &ids {
        if *n > 1 || id.is_empty() || id.contains(char::is_whitespace) {
            found.push(format!("{n} elements have the id {id:?}"));
        }
    }
    for link in page.named(&["a"]) {
        if name(link).is_empty() {
            found.push("a link without text".into());
        }
        match link.attr("href") {
            None | Some("") => found.push("a link that leads nowhere".into()),
            Some(href) => {
                if let Some(id) = href.strip_prefix('#')
                    && !ids.contains_key(id)
                {
                    found.push(format!("a link to {href}, which is not there"));
                }
            }
        }
    }
    for nav in page.named(&["nav"]) {
        let mut seen = BTreeSet::new();
        for link in nav.named(&["a"]) {
            if !seen.insert(link.text()) {
                found.push(format!("two links are called {}", link.text()));
            }
        }
    }
}

fn names(page: &Node, found: &mut Vec<String>) {
    for picture in page.all(&|node| node.is(&["svg", "img"]) || node.attr("role") == Some("img")) {
        let role = picture.attr("role");
        if role != Some("img") || picture.attr("aria-label").unwrap_or_default().is_empty() {
            found.push("a picture without a name".into());
        }
    }
    let labelled = |node: &Node| {
        node.attr("aria-label").is_some() && node.attr("role").is_none() && !node.is(&["nav"])
    };
    for labelled in page.all(&labelled) {
        found.push(format!("a name that is not told: {}", name(labelled)));
    }
    for details in page.named(&["details"]) {
        let first = details.children.first();
        if !first.is_some_and(|e| e.is(&["summary"]) && !e.text().is_empty()) {
            found.push("details without a summary".into());
        }
    }
    for list in page.named(&["ul", "ol"]) {
        if list.children.iter().any(|child| !child.is(&["li"])) {
            found.push("a list of other things than items".into());
        }
        if list.text().is_empty() {
            found.push("a list of nothing".into());
        }
    }
    let foreign = ["script", "iframe", "marquee", "blink", "img"];
    let foreign = |node: &Node| {
        node.is(&foreign)
            || ["style", "onclick", "onerror"]
                .iter()
                .any(|a| node.attr(a).is_some())
    };
    for element in page.all(&foreign) {
        found.push(format!("{} or its style by itself", element.name));
    }
}

/// A caption, headers with a scope, and as many cells in each row.
fn grid(table: &Node, found: &mut Vec<String>) {
    let captions = table.named(&["caption"]);
    let caption = captions
        .first()
        .map(|caption| caption.text())
        .unwrap_or_default();
    if captions.len() != 1 || caption.is_empty() {
        found.push(format!("a table without a caption: {}", table.text()));
    }
    for th in table.named(&["th"]) {
        let scope = th.attr("scope").unwrap_or_default();
        if !["col", "row", "rowgroup", "colgroup"].contains(&scope) {
            found.push(format!("a header without a scope in {caption}"));
        }
        if th.text().is_empty() {
            found.push(format!("an empty header in {caption}"));
        }
    }
    let mut widths = BTreeSet::new();
    let head = table.named(&["thead"]);
    let head = head.first().map_or(Vec::new(), |head| head.named(&["tr"]));
    if head.len() != 1 {
        found.push(format!("{} head rows in {caption}", head.len()));
    }
    for group in table.named(&["thead", "tbody"]) {
        let rows = group.named(&["tr"]);
        // How many further rows each cell that spans rows reaches into.
        let mut spans: Vec<usize> = Vec::new();
        for row in &rows {
            let mut width = spans.len();
            spans.iter_mut().for_each(|left| *left -= 1);
            spans.retain(|left| *left > 0);
            for cell in &row.children {
                let span = |name: &str| cell.attr(name).map_or(Ok(1), str::parse::<usize>);
                let columns = span("colspan").expect("a number");
                width += columns;
                let down = span("rowspan").expect("a number");
                spans.extend(vec![down - 1; columns].into_iter().filter(|n| *n > 0));
            }
            widths.insert(width);
            let headed = !row.named(&["th"]).is_empty();
            if !headed {
                found.push(format!("a row without a header in {caption}"));
            }
        }
        if !spans.is_empty() {
            found.push(format!(
                "a cell spans more rows than there are in {caption}"
            ));
        }
    }
    if widths.len() != 1 {
        found.push(format!("rows of {widths:?} cells in {caption}"));
    }
}

#[test]
fn every_page_is_accessible() {
    for (name, run) in pages() {
        let html = report::html(&run);
        assert!(html.len() <= 2_000_000, "{name}: {} bytes", html.len());
        let mut defects = defects(&html);
        let all = defects.len();
        defects.truncate(10);
        assert!(defects.is_empty(), "{name}: {all} defects: {defects:#?}");
    }
}

/// The check itself: each of these breaks a rule.
#[test]
fn a_defect_is_found() {
    let good = report::html(&runs::lab());
    let check = |old: &str, new: &str, said: &str| {
        let bad = good.replacen(old, new, 1);
        assert!(bad != good, "{old} is not in the page");
        let found = defects(&bad);
        assert!(found.iter().any(|d| d.contains(said)), "{said}: {found:?}");
    };
    check("<html lang=\"en\">", "<html>", "language");
    check(
        "<h2 id=\"threats\">Threats to validity</h2>",
        "<h4 id=\"threats\">x</h4>",
        "h4 after",
    );
    check(
        "<h2 id=\"threats\">Threats to validity</h2>",
        "<h1 id=\"threats\">x</h1>",
        "2 first headings",
    );
    check("<main>", "<div>x</div><main>", "outside of every landmark");
    check("href=\"#threats\"", "href=\"#thread\"", "not there");
    check("id=\"machine\"", "id=\"threats\"", "2 elements");
    check("scope=\"col\"", "", "scope");
    check("<td>", "<td></td><td>", "rows of");
    check("<caption>", "<caption></caption><caption>", "caption");
    check("tabindex=\"0\"", "", "cannot be reached");
    check("<summary>", "<summary></summary><summary>", "summary");
}

/// WCAG 2.1: relative luminance and contrast ratio.
fn contrast(a: [u8; 3], b: [u8; 3]) -> f64 {
    let luminance = |colour: [u8; 3]| {
        let [r, g, b] = colour.map(|c| match f64::from(c) / 255.0 {
            c if c <= 0.04045 => c / 12.92,
            c => ((c + 0.055) / 1.055).powf(2.4),
        });
        0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05
    };
    let (a, b) = (luminance(a), luminance(b));
    a.max(b) / a.min(b)
}

fn hex(text: &str) -> [u8; 3] {
    let part = |i: usize| u8::from_str_radix(&text[i..i + 2], 16).expect("a colour");
    [part(0), part(2), part(4)]
}

/// The variables of a rule of the style sheet.
fn colours(rule: &str) -> BTreeMap<&str, [u8; 3]> {
    let variables = rule.split("--").skip(1).filter_map(|v| v.split_once(": #"));
    variables.map(|(name, value)| (name, hex(value))).collect()
}

#[test]
fn text_and_signs_stand_out_by_day_by_night_and_in_print() {
    let html = report::html(&runs::lab());
    let style = html.split("<style>").nth(1).expect("a style");
    let style = style.split("</style>").next().expect("its end");
    let roots: Vec<_> = style
        .split(":root {")
        .skip(1)
        .map(|r| colours(r.split('}').next().unwrap_or("")))
        .collect();
    assert_eq!(roots.len(), 3, "light, dark, print");
    for root in roots {
        let of = |name: &str| *root.get(name).unwrap_or_else(|| panic!("no {name}"));
        let papers: Vec<_> = ["paper", "tint", "warn-paper"]
            .iter()
            .filter_map(|p| root.get(p))
            .collect();
        for text in ["ink", "soft", "more", "less", "link"] {
            for paper in &papers {
                assert!(contrast(of(text), **paper) >= 4.5, "{text} on {paper:?}");
            }
        }
        if let Some(line) = root.get("warn-line") {
            assert!(contrast(*line, of("paper")) >= 3.0, "warn-line");
        }
        // The signs of arms, which have a class each.
        for sign in style.split("{ background: #").skip(1) {
            assert!(contrast(hex(sign), of("paper")) >= 3.0, "{sign:.7}");
        }
    }
}
