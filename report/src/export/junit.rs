// SPDX-License-Identifier: Apache-2.0 OR MIT
//! JUnit XML: a suite a group, in it a case an arm. Missing is skipped, failed an error
//! (a failure would be a test that found something). The figures are in the case's
//! output; its time is that of one operation where a clock was read.

use super::entry::{Entry, digits, groups, symbol};
use crate::Error;
use quick_xml::{
    Writer,
    events::{BytesDecl, BytesText, Event},
};
use results::{Run, Unit, compare::Hole};
use std::io;

pub(super) fn junit(run: &Run) -> Result<String, Error> {
    let mut suites = groups(run, |name, entries| {
        let cases = entries.iter().map(|entry| Case::of(name, entry));
        Suite {
            name: name.to_string(),
            cases: cases.collect(),
        }
    });
    suites.retain(|suite| !suite.cases.is_empty());
    write(&suites).map_err(|e| Error::Export {
        format: "junit",
        reason: e.to_string(),
    })
}

struct Suite {
    name: String,
    cases: Vec<Case>,
}

struct Case {
    arm: String,
    group: String,
    /// Of one operation, in seconds.
    seconds: Option<f64>,
    end: End,
}

/// What became of a case, and what is said of it.
enum End {
    Measured(String),
    Skipped(String),
    Error(String),
}

impl Case {
    fn of(group: &str, entry: &Entry<'_>) -> Self {
        let mut seconds = None;
        let end = match &entry.figures {
            Ok((figures, unit)) => {
                if *unit == Unit::Ns {
                    seconds = Some(figures.median.trunc() / 1e9);
                }
                let numbers = [figures.median, figures.min, figures.max].map(digits);
                let [median, min, max] = numbers;
                End::Measured(format!(
                    "{}: median {median} {}, min {min}, max {max}, n {}",
                    entry.series,
                    symbol(*unit),
                    figures.blocks.len()
                ))
            }
            Err(hole @ (Hole::Missing { .. } | Hole::NotRun)) => End::Skipped(hole.to_string()),
            Err(hole) => End::Error(hole.to_string()),
        };
        Case {
            arm: entry.arm(),
            group: group.to_string(),
            seconds,
            end,
        }
    }
}

/// `tests`, `skipped` and `errors` of these cases; a failure is none of ours.
fn counts<'a>(cases: impl Iterator<Item = &'a Case> + Clone) -> [(&'static str, String); 4] {
    let count = |is: fn(&End) -> bool| cases.clone().filter(|c| is(&c.end)).count();
    [
        ("tests", count(|_| true)),
        ("skipped", count(|end| matches!(end, End::Skipped(_)))),
        ("errors", count(|end| matches!(end, End::Error(_)))),
        ("failures", 0),
    ]
    .map(|(name, count)| (name, count.to_string()))
}

fn write(suites: &[Suite]) -> io::Result<String> {
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 4);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let all = counts(suites.iter().flat_map(|suite| &suite.cases));
    let root = xml.create_element("testsuites");
    let root = root.with_attribute(("name", "unmapbench"));
    root.with_attributes(all.iter().map(|(n, v)| (*n, v.as_str())))
        .write_inner_content(|xml| suites.iter().try_for_each(|s| suite(xml, s)))?;
    String::from_utf8(xml.into_inner()).map_err(io::Error::other)
}

fn suite(xml: &mut Writer<Vec<u8>>, suite: &Suite) -> io::Result<()> {
    let counts = counts(suite.cases.iter());
    let element = xml.create_element("testsuite");
    let element = element.with_attribute(("name", suite.name.as_str()));
    element
        .with_attributes(counts.iter().map(|(n, v)| (*n, v.as_str())))
        .write_inner_content(|xml| suite.cases.iter().try_for_each(|c| case(xml, c)))?;
    Ok(())
}

fn case(xml: &mut Writer<Vec<u8>>, case: &Case) -> io::Result<()> {
    let element = xml.create_element("testcase");
    let element = element
        .with_attribute(("name", case.arm.as_str()))
        .with_attribute(("classname", case.group.as_str()));
    let seconds = case.seconds.map(|seconds| format!("{seconds:.9}"));
    let time = seconds.as_deref().map(|text| ("time", text));
    element
        .with_attributes(time)
        .write_inner_content(|xml| match &case.end {
            End::Measured(text) => xml
                .create_element("system-out")
                .write_text_content(BytesText::new(text))
                .map(drop),
            End::Skipped(why) => xml
                .create_element("skipped")
                .with_attribute(("message", why.as_str()))
                .write_empty()
                .map(drop),
            End::Error(why) => xml
                .create_element("error")
                .with_attribute(("type", "failed"))
                .with_attribute(("message", why.as_str()))
                .write_empty()
                .map(drop),
        })?;
    Ok(())
}
