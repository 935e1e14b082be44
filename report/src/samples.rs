// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `samples.csv`: every raw sample, one a line, for whatever tool a reader has.
//!
//! Columns: `testbed,strategy,mode,workload,params,block,order,series,index,
//! batch,value,unit`. `mode` and `params` are `k=v;k=v`, with `\`, `;` and `=` inside a name or a
//! word escaped by `\`. `value` is the integer of the record in `unit` and covers
//! `batch` operations. The warm-up block (0) is included: this is the raw data.
//! Rows without samples (missing, failed) have no line here; they are in
//! `samples.jsonl`. A run with faults has about a million lines, hence
//! [`write_samples`] streams.

use crate::Error;
use results::{Outcome, Run, cell::Params};
use std::io;

const COLUMNS: [&str; 12] = [
    "testbed", "strategy", "mode", "workload", "params", "block", "order", "series", "index",
    "batch", "value", "unit",
];

/// Writes every sample of `run` to `out`, which should be buffered or a file.
///
/// # Errors
/// [`Error::Csv`] if `out` fails; what was written until then stays.
pub fn write_samples(run: &Run, out: impl io::Write) -> Result<(), Error> {
    write(run, out).map_err(Error::Csv)
}

/// The same in memory.
pub(crate) fn csv(run: &Run) -> Result<String, Error> {
    let mut bytes = Vec::new();
    write_samples(run, &mut bytes)?;
    // Every field is a str, so this never replaces anything.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn write(run: &Run, out: impl io::Write) -> Result<(), csv::Error> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(COLUMNS)?;
    for row in &run.rows {
        let Outcome::Measured {
            unit,
            samples,
            batch,
            ..
        } = &row.outcome
        else {
            continue;
        };
        let [mode, params] = [&row.cell.mode, &row.cell.params].map(params);
        let [block, order] =
            [row.block, row.order].map(|n| n.map_or(String::new(), |n| n.to_string()));
        for (series, values) in samples {
            let batch = batch.get(series).copied().unwrap_or(1).to_string();
            for (index, value) in values.iter().enumerate() {
                csv.write_record([
                    row.cell.testbed.name(),
                    &row.cell.strategy,
                    &mode,
                    &row.cell.workload,
                    &params,
                    &block,
                    &order,
                    series,
                    &index.to_string(),
                    &batch,
                    &value.to_string(),
                    unit.symbol(),
                ])?;
            }
        }
    }
    csv.flush()?;
    Ok(())
}

/// Parameters in one field, as the head of this file says.
pub(crate) fn params(params: &Params) -> String {
    let escape = |text: &str| {
        let mut out = String::new();
        for c in text.chars() {
            if matches!(c, '\\' | ';' | '=') {
                out.push('\\');
            }
            out.push(c);
        }
        out
    };
    let pairs = params.iter();
    let pairs = pairs.map(|(k, v)| format!("{}={}", escape(k), escape(&v.to_string())));
    pairs.collect::<Vec<_>>().join(";")
}

#[cfg(test)]
mod tests {
    use super::*;
    use results::ParamValue;

    #[test]
    fn parameters_can_be_told_apart_again() {
        fn check(pairs: &[(&str, &str)], expected: &str) {
            let pairs = pairs.iter();
            let map = pairs.map(|(k, v)| (k.to_string(), ParamValue::Text(v.to_string())));
            assert_eq!(params(&map.collect()), expected);
        }
        check(&[], "");
        check(&[("cpus", "1"), ("mem_mib", "64")], "cpus=1;mem_mib=64");
        check(&[("a", "b;c=d\\")], r"a=b\;c\=d\\");
    }
}
