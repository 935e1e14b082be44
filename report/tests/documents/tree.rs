// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A page as a tree. What we write is strict: every element is closed in order, and text
//! holds no `<`, or reading it fails. So a parser of XML reads it, of which the dependencies
//! have one; a parser of all that browsers forgive would take 34 packages and see less.

use quick_xml::{Reader, events::Event};
use std::collections::BTreeMap;

/// Elements that have no end.
const VOID: [&str; 2] = ["meta", "br"];

/// An element.
#[derive(Debug, Default)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) children: Vec<Node>,
    /// Its own text and that of its children, in order.
    text: String,
}

/// The root of a page, or of a figure.
///
/// # Panics
/// If it is not well formed.
#[track_caller]
pub(crate) fn parse(document: &str) -> Node {
    let mut reader = Reader::from_str(document);
    reader.config_mut().check_end_names = true;
    let mut open = vec![Node::default()];
    loop {
        match reader
            .read_event()
            .unwrap_or_else(|e| panic!("{e}: {}", near(document, &reader)))
        {
            Event::Start(tag) => {
                let node = node(&tag);
                match VOID.contains(&node.name.as_str()) {
                    true => panic!("{} is not closed for the parser", node.name),
                    false => open.push(node),
                }
            }
            Event::Empty(tag) => {
                let node = node(&tag);
                open.last_mut().expect("a root").children.push(node);
            }
            Event::End(_) => {
                let node = open.pop().expect("it was opened");
                let above = open.last_mut().expect("a root");
                above.text += &node.text;
                above.children.push(node);
            }
            Event::Text(text) => {
                let text: &str = &text;
                open.last_mut().expect("a root").text += text;
            }
            Event::GeneralRef(name) => {
                let name: &str = &name;
                let c = match name {
                    "lt" => "<",
                    "gt" => ">",
                    "amp" => "&",
                    "quot" => "\"",
                    "apos" | "#39" => "'",
                    other => panic!("&{other};"),
                };
                open.last_mut().expect("a root").text += c;
            }
            Event::Eof => break,
            Event::DocType(_) | Event::Decl(_) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(open.len(), 1, "elements that are not closed");
    let mut root = open.pop().expect("a root");
    assert_eq!(root.children.len(), 1, "one root");
    root.children.pop().expect("a root")
}

fn near(document: &str, reader: &Reader<&[u8]>) -> String {
    let at = reader.buffer_position() as usize;
    document
        .chars()
        .skip(at.saturating_sub(80))
        .take(160)
        .collect()
}

fn node(tag: &quick_xml::events::BytesStart<'_>) -> Node {
    let attributes = tag.attributes().map(|a| a.expect("an attribute"));
    let attributes = attributes.map(|a| {
        let value = quick_xml::escape::unescape(&a.value)
            .expect("escaped")
            .into_owned();
        (a.key.as_ref().to_string(), value)
    });
    Node {
        name: tag.name().as_ref().to_string(),
        attributes: attributes.collect(),
        ..Node::default()
    }
}

/// A page of HTML as the parser wants it.
#[track_caller]
pub(crate) fn page(html: &str) -> Node {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find("<meta ").or_else(|| rest.find("<br>")) {
        let end = at + rest[at..].find('>').expect("a tag ends");
        out += &rest[..end];
        out.push('/');
        rest = &rest[end..];
    }
    parse(&(out + rest))
}

impl Node {
    /// The value of an attribute.
    pub(crate) fn attr(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    /// Whether it is one of `names`.
    pub(crate) fn is(&self, names: &[&str]) -> bool {
        names.contains(&self.name.as_str())
    }

    /// All text in it, with single spaces.
    pub(crate) fn text(&self) -> String {
        self.text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Every element below it that `is` accepts, in the order of the page.
    pub(crate) fn all<'n>(&'n self, is: &dyn Fn(&Node) -> bool) -> Vec<&'n Node> {
        let mut found = Vec::new();
        for child in &self.children {
            if is(child) {
                found.push(child);
            }
            found.extend(child.all(is));
        }
        found
    }

    /// The same by name.
    pub(crate) fn named<'n>(&'n self, names: &[&str]) -> Vec<&'n Node> {
        self.all(&|node| node.is(names))
    }
}
