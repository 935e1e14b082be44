// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Reading a run back. Its files are untrusted: whatever they hold gives a
//! [`Run`] or an [`Error`] that names the file and the line.

use super::{AUDIT, Error, HOST, PLAN, SAMPLES, io_error};
use crate::{Header, Outcome, Row, Run, record::SCHEMA};
use serde::de::DeserializeOwned;
use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{BufRead, BufReader, ErrorKind, Read},
    path::Path,
};

/// The longest line that is read. The longest that is written, a thousand
/// pages' worth of samples of twenty digits a piece, is a hundredth of it.
const LINE_LIMIT: u64 = 256 << 20;

/// The largest `samples.jsonl` that is read. Rows are held in memory, in about twice
/// their size; the largest recorded run is a hundredth of it.
const SAMPLES_LIMIT: u64 = 1 << 30;

/// The largest of the other files.
const DOCUMENT_LIMIT: u64 = 64 << 20;

/// Reads the run in `dir`.
///
/// # Errors
/// [`Error::NotARun`] if a file is absent that every run has, [`Error::Malformed`] or
/// [`Error::Schema`] if one does not hold what it should, [`Error::Io`] else.
/// A last line without its newline is not an error: the writer was killed
/// there, and [`Run::notes`] says so.
pub fn read(dir: &Path) -> Result<Run, Error> {
    let file = open(dir, SAMPLES, SAMPLES_LIMIT)?;
    let samples = samples(&dir.join(SAMPLES), BufReader::new(file))?;
    Ok(Run {
        header: samples.header,
        plan: document(dir, PLAN)?,
        host: document(dir, HOST)?,
        rows: samples.rows,
        audits: optional(dir, AUDIT)?.unwrap_or_default(),
        notes: samples.notes,
    })
}

/// What `samples.jsonl` holds.
pub(super) struct Samples {
    pub(super) header: Header,
    pub(super) rows: Vec<Row>,
    pub(super) notes: Vec<String>,
}

/// Reads `input`, which errors call `path`.
pub(super) fn samples(path: &Path, input: impl BufRead) -> Result<Samples, Error> {
    let mut lines = Lines {
        path,
        input,
        number: 0,
        cut: false,
    };
    let header = match lines.next_line()? {
        Some(line) => header(path, &line)?,
        None => return Err(malformed(path, 1, "the header line is missing")),
    };
    let mut rows = Vec::new();
    let mut seen = BTreeSet::new();
    while let Some(line) = lines.next_line()? {
        let row: Row = parse(path, lines.number, &line)?;
        check(&row).map_err(|what| malformed(path, lines.number, what))?;
        if row.block.is_some() && !seen.insert((row.cell.clone(), row.block)) {
            let what = format!("a second row of one cell and block: {}", row.cell);
            return Err(malformed(path, lines.number, what));
        }
        rows.push(row);
    }
    let mut notes = Vec::new();
    if lines.cut {
        notes.push(format!(
            "{SAMPLES}: line {} is cut off: the run ended while it was written, and that cell is left out",
            lines.number
        ));
    }
    Ok(Samples {
        header,
        rows,
        notes,
    })
}

struct Lines<'a, I> {
    path: &'a Path,
    input: I,
    number: usize,
    cut: bool,
}

impl<I: BufRead> Lines<'_, I> {
    fn next_line(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let mut line = Vec::new();
        let n = (&mut self.input)
            .take(LINE_LIMIT)
            .read_until(b'\n', &mut line)
            .map_err(io_error("read", self.path))?;
        if n == 0 {
            return Ok(None);
        }
        self.number += 1;
        if line.pop() == Some(b'\n') {
            return Ok(Some(line));
        }
        if n as u64 == LINE_LIMIT {
            return Err(malformed(
                self.path,
                self.number,
                "the line is longer than any that is recorded",
            ));
        }
        self.cut = true;
        Ok(None)
    }
}

fn header(path: &Path, line: &[u8]) -> Result<Header, Error> {
    // The schema is read by itself first: a later format may have a header
    // that does not parse, and "use the newer version" is the better answer.
    let any: serde_json::Value = parse(path, 1, line)?;
    match any.get("schema").and_then(serde_json::Value::as_u64) {
        Some(found) if found != u64::from(SCHEMA) => Err(Error::Schema {
            path: path.to_path_buf(),
            found,
        }),
        _ => parse(path, 1, line),
    }
}

/// Opens a regular file of at most `limit` bytes. Opening a FIFO would wait for ever,
/// and a device has no end.
fn open(dir: &Path, file: &'static str, limit: u64) -> Result<File, Error> {
    let path = dir.join(file);
    let about = fs::metadata(&path).map_err(|e| absent(e, dir, file))?;
    if !about.is_file() {
        return Err(malformed(&path, 1, "not a regular file"));
    }
    if about.len() > limit {
        let what = format!("{} bytes, of which at most {limit} are read", about.len());
        return Err(malformed(&path, 1, what));
    }
    File::open(&path).map_err(|e| absent(e, dir, file))
}

/// What the types cannot say: a measured row has samples, and no batch of 0.
fn check(row: &Row) -> Result<(), String> {
    let Outcome::Measured { samples, batch, .. } = &row.outcome else {
        return Ok(());
    };
    if row.block.is_none() {
        return Err("a measured row without a block".into());
    }
    if let Some(name) = batch.iter().find(|(_, n)| **n == 0).map(|(name, _)| name) {
        return Err(format!("series {name:?} has a batch of 0 operations"));
    }
    if let Some(name) = batch.keys().find(|name| !samples.contains_key(*name)) {
        return Err(format!("batch names series {name:?}, which has no samples"));
    }
    Ok(())
}

pub(super) fn document<T: DeserializeOwned>(dir: &Path, file: &'static str) -> Result<T, Error> {
    let path = dir.join(file);
    let mut text = Vec::new();
    let mut input = open(dir, file, DOCUMENT_LIMIT)?.take(DOCUMENT_LIMIT);
    input
        .read_to_end(&mut text)
        .map_err(io_error("read", &path))?;
    serde_json::from_slice(&text).map_err(|e| malformed(&path, e.line(), e.to_string()))
}

/// A file that a run need not have.
fn optional<T: DeserializeOwned>(dir: &Path, file: &'static str) -> Result<Option<T>, Error> {
    match document(dir, file) {
        Ok(value) => Ok(Some(value)),
        Err(Error::NotARun { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) fn parse<T: DeserializeOwned>(
    path: &Path,
    number: usize,
    line: &[u8],
) -> Result<T, Error> {
    serde_json::from_slice(line).map_err(|e| malformed(path, number, e.to_string()))
}

fn malformed(path: &Path, line: usize, what: impl Into<String>) -> Error {
    Error::Malformed {
        path: path.to_path_buf(),
        line,
        what: what.into(),
    }
}

fn absent(source: std::io::Error, dir: &Path, file: &'static str) -> Error {
    match source.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => Error::NotARun {
            dir: dir.to_path_buf(),
            file,
        },
        _ => io_error("read", dir.join(file))(source),
    }
}
