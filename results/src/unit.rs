// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Units and quantities. A number that leaves a measurement carries one of
//! these types; floating point begins in [`crate::stats`] and nowhere else.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What a sample counts. Samples of different units never meet: comparing them
/// is an error, not a conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Nanoseconds of real time, from a time-stamp counter of known frequency.
    Ns,
    /// Instructions executed by the emulated machine (`-icount shift=0`, where
    /// the virtual clock advances by one tick an instruction). Not a time.
    Insn,
}

impl Unit {
    /// The short form that stands behind a figure: `ns`, `insn`.
    pub fn symbol(self) -> &'static str {
        match self {
            Unit::Ns => "ns",
            Unit::Insn => "insn",
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.symbol())
    }
}

/// A size in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bytes(pub u64);

impl Bytes {
    /// The size of a base page on x86-64, the only architecture supported.
    pub const PAGE: Bytes = Bytes(4096);

    /// `n` mebibytes.
    pub const fn mib(n: u64) -> Self {
        Bytes(n << 20)
    }

    /// How many whole base pages fit.
    pub const fn pages(self) -> Pages {
        Pages(self.0 / Self::PAGE.0)
    }
}

impl fmt::Display for Bytes {
    /// Whole mebibytes as `64 MiB`, anything else in bytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            n if n != 0 && n % (1 << 20) == 0 => write!(f, "{} MiB", n >> 20),
            n => write!(f, "{n} B"),
        }
    }
}

/// A number of 4 KiB pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pages(pub u64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_convert_and_print() {
        assert_eq!(Bytes::mib(64).pages(), Pages(16384));
        assert_eq!(Bytes::mib(64).to_string(), "64 MiB");
        assert_eq!(Bytes(4097).to_string(), "4097 B");
        assert_eq!(Bytes(0).to_string(), "0 B");
    }
}
