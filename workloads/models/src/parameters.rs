// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Reading the parameters of a cell into the types of a model.

use crate::Size;
use abi::layout;
use results::{
    cell::{ParamValue, Params},
    unit::Bytes,
};
use std::{cell::RefCell, collections::BTreeSet, ops::RangeInclusive};

/// Parameters that say where a cell runs and not what it does. No model reads them.
const OF_THE_TESTBED: [&str; 2] = ["kernel", "lab_cpus"];

/// A parameter that is missing, unknown or will not do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("parameter {name}: {what}")]
pub struct BadParameter {
    /// The parameter.
    pub name: String,
    /// The cause, and what would do. One line.
    pub what: String,
}

/// The parameters of one cell. It knows which were read, so that none is ignored.
#[derive(Debug)]
pub struct Parameters<'a> {
    params: &'a Params,
    read: RefCell<BTreeSet<&'static str>>,
}

impl<'a> Parameters<'a> {
    pub(crate) fn new(params: &'a Params) -> Self {
        Parameters {
            params,
            read: RefCell::default(),
        }
    }

    fn get(&self, name: &'static str) -> Option<&ParamValue> {
        self.read.borrow_mut().insert(name);
        self.params.get(name)
    }

    /// The number `name`, which must be there and lie in `range`.
    pub(crate) fn number(
        &self,
        name: &'static str,
        range: RangeInclusive<u64>,
    ) -> Result<u64, BadParameter> {
        let (low, high) = (range.start(), range.end());
        let what = match self.get(name) {
            Some(ParamValue::Int(n)) if range.contains(n) => return Ok(*n),
            Some(other) => format!("{other} is not a number from {low} to {high}"),
            None => format!("is missing; give a number from {low} to {high}"),
        };
        Err(bad(name, what))
    }

    /// What the word `name` stands for; the first of `words` if it is not there.
    pub(crate) fn word<T: Copy>(
        &self,
        name: &'static str,
        words: &[(&str, T)],
    ) -> Result<T, BadParameter> {
        let given = match self.get(name) {
            None => return Ok(words[0].1),
            Some(given) => given.to_string(),
        };
        let found = words.iter().find(|(word, _)| *word == given);
        found.map(|(_, meaning)| *meaning).ok_or_else(|| {
            let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            bad(name, format!("{given} is not {}", known.join(" or ")))
        })
    }

    /// The number of samples, `count`.
    pub(crate) fn count(&self) -> Result<u64, BadParameter> {
        self.number("count", 1..=layout::SAMPLES_MAX)
    }

    /// The machine: `cpus`, and `mem_mib` in steps of 2 MiB.
    pub(crate) fn size(&self) -> Result<Size, BadParameter> {
        let range = layout::MEMORY_MIN >> 20..=layout::MEMORY_MAX >> 20;
        let mib = self.number("mem_mib", range)?;
        if !mib.is_multiple_of(2) {
            let what = format!("{mib} is odd; memory comes in steps of 2 MiB");
            return Err(bad("mem_mib", what));
        }
        Ok(Size {
            cpus: self.number("cpus", 1..=layout::MAX_VCPUS)?,
            memory: Bytes::mib(mib).0,
        })
    }

    /// Refuses the first parameter that was not read.
    pub(crate) fn finish(&self) -> Result<(), BadParameter> {
        let read = self.read.borrow();
        let known = |name: &str| read.contains(name) || OF_THE_TESTBED.contains(&name);
        match self.params.keys().find(|name| !known(name)) {
            None => Ok(()),
            Some(name) => {
                let all: Vec<_> = read.iter().copied().collect();
                let what = format!("is unknown; this model has {}", all.join(", "));
                Err(bad(name, what))
            }
        }
    }
}

fn bad(name: &str, what: String) -> BadParameter {
    BadParameter {
        name: name.to_string(),
        what,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_named() {
        let check = |changed: (&str, ParamValue), expected: &str| {
            let mut params: Params = [
                ("cpus".to_string(), ParamValue::Int(1)),
                ("mem_mib".to_string(), ParamValue::Int(64)),
                ("count".to_string(), ParamValue::Int(9)),
            ]
            .into();
            params.insert(changed.0.into(), changed.1);
            let model = crate::find("mmio-read").unwrap();
            let text = model.experiment(&params).err().map(|e| e.to_string());
            assert_eq!(text.unwrap_or_default(), expected);
        };
        let text = |s: &str| ParamValue::Text(s.into());
        check(("lab_cpus", ParamValue::Int(2)), "");
        check(("bytes", ParamValue::Int(8)), "");
        check(
            ("count", ParamValue::Int(0)),
            "parameter count: 0 is not a number from 1 to 131072",
        );
        check(
            ("count", text("many")),
            "parameter count: many is not a number from 1 to 131072",
        );
        check(
            ("mem_mib", ParamValue::Int(63)),
            "parameter mem_mib: 63 is odd; memory comes in steps of 2 MiB",
        );
        check(
            ("bytes", ParamValue::Int(3)),
            "parameter bytes: 3 is not 4 or 1 or 2 or 8",
        );
        check(
            ("size", ParamValue::Int(3)),
            "parameter size: is unknown; this model has bytes, count, cpus, mem_mib",
        );
    }
}
