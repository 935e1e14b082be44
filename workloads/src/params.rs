// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Parameters of a workload, checked one by one.

use crate::Error;
use abi::{Args, layout};
use results::{
    cell::{ParamValue, Params},
    unit::Bytes,
};

/// Parameters of a named workload.
pub(crate) struct Checked<'a> {
    workload: &'a str,
    params: &'a Params,
}

impl<'a> Checked<'a> {
    pub(crate) fn new(workload: &'a str, params: &'a Params) -> Self {
        Checked { workload, params }
    }

    fn error(&self, name: &str, what: String) -> Error {
        Error::Param {
            workload: self.workload.to_string(),
            name: name.to_string(),
            what,
        }
    }

    /// The number `name`, which must be there and lie in `range`.
    pub(crate) fn within(
        &self,
        name: &str,
        range: std::ops::RangeInclusive<u64>,
    ) -> Result<u64, Error> {
        let (low, high) = (range.start(), range.end());
        match self.params.get(name) {
            Some(ParamValue::Int(n)) if range.contains(n) => Ok(*n),
            Some(other) => Err(self.error(
                name,
                format!("{other} is not a number from {low} to {high}"),
            )),
            None => Err(self.error(
                name,
                format!("is missing; give a number from {low} to {high}"),
            )),
        }
    }

    /// What the word `name` stands for; the first of `words` if it is not there.
    pub(crate) fn word<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Result<T, Error> {
        let given = match self.params.get(name) {
            None => return Ok(words[0].1),
            Some(given) => given.to_string(),
        };
        let found = words.iter().find(|(word, _)| *word == given);
        found.map(|(_, meaning)| *meaning).ok_or_else(|| {
            let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            self.error(name, format!("{given} is not {}", known.join(" or ")))
        })
    }

    /// `count` accesses of the MMIO window or the data port, a sample each, of 4
    /// bytes or what `bytes` says.
    pub(crate) fn repeated(&self) -> Result<Args, Error> {
        let widths = [("4", 4), ("1", 1), ("2", 2), ("8", 8)];
        Ok(Args {
            count: self.within("count", 1..=layout::SAMPLES_MAX)?,
            batch: 1,
            address: layout::MMIO,
            seed: 0x5eed,
            width: self.word("bytes", &widths)?,
            ..Args::default()
        })
    }

    /// `count` samples of `batch` operations.
    pub(crate) fn batched(&self) -> Result<Args, Error> {
        let batch = self.within("batch", 1..=1 << 20)?;
        Ok(Args {
            batch,
            ..self.repeated()?
        })
    }

    /// `count` string instructions of `batch` 32-bit values.
    pub(crate) fn strings(&self) -> Result<Args, Error> {
        let batch = self.within("batch", 1..=layout::PAGE / 4)?;
        Ok(Args {
            batch,
            ..self.repeated()?
        })
    }

    /// `count` reads at aliases, after which the rehearsal's lie free.
    pub(crate) fn aliases(&self) -> Result<Args, Error> {
        self.within("count", 1..=layout::ALIASES - 64)?;
        self.repeated()
    }

    /// How far apart the vCPUs' clocks lie: `clock_page` is `apart` (a page
    /// each, the default) or `shared` (all in one, a cache line each).
    pub(crate) fn clock_stride(&self) -> Result<u64, Error> {
        self.word("clock_page", &[("apart", layout::PAGE), ("shared", 64)])
    }

    /// `count` iterations, one sample.
    pub(crate) fn iterations(&self) -> Result<Args, Error> {
        let count = self.within("count", 1000..=1 << 40)?;
        Ok(Args {
            count,
            ..Args::default()
        })
    }

    /// `mem_mib` in bytes.
    pub(crate) fn memory(&self) -> Result<u64, Error> {
        let mib = self.within(
            "mem_mib",
            layout::MEMORY_MIN >> 20..=layout::MEMORY_MAX >> 20,
        )?;
        match mib % 2 {
            0 => Ok(Bytes::mib(mib).0),
            _ => Err(self.error(
                "mem_mib",
                format!("{mib} is odd; memory comes in steps of 2 MiB"),
            )),
        }
    }
}
