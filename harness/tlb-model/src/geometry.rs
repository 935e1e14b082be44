// SPDX-License-Identifier: GPL-2.0-or-later
//! How many entries a TLB has, in how many ways, for pages of which sizes.

use crate::PageSize;

/// Entries that are searched together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Array {
    /// How many in all.
    pub entries: usize,
    /// How many of them an address may be in.
    pub ways: usize,
    /// For which sizes.
    pub sizes: Vec<PageSize>,
}

/// Two levels; a level may have several arrays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// The first level.
    pub l1: Vec<Array>,
    /// The second.
    pub l2: Vec<Array>,
}

impl Array {
    /// How many sets, a power of two.
    pub fn sets(&self) -> usize {
        self.entries / self.ways
    }

    /// Reads `entries/ways/size+size`, sizes being `4k`, `2m` and `1g`.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let mut number = || parts.next()?.parse::<usize>().ok().filter(|n| *n > 0);
        let (entries, ways) = (number()?, number()?);
        let size = |word| match word {
            "4k" => Some(PageSize::Base),
            "2m" => Some(PageSize::Large),
            "1g" => Some(PageSize::Giant),
            _ => None,
        };
        let sizes = parts.next()?.split('+').map(size);
        let array = Array {
            entries,
            ways,
            sizes: sizes.collect::<Option<_>>()?,
        };
        let whole = entries % ways == 0 && array.sets().is_power_of_two();
        (whole && parts.next().is_none()).then_some(array)
    }
}

impl Geometry {
    /// Reads two levels, each of arrays `entries/ways/sizes` with colons between them.
    ///
    /// # Errors
    /// The level that cannot be read, and what one looks like.
    pub fn parse(l1: &str, l2: &str) -> Result<Self, String> {
        let level = |text: &str| -> Result<Vec<Array>, String> {
            let arrays: Option<Vec<_>> = text.split(':').map(Array::parse).collect();
            let wrong = || format!("{text:?} is not ENTRIES/WAYS/SIZES, as in 64/4/4k:32/4/2m+1g");
            let arrays = arrays.ok_or_else(wrong)?;
            // Every page must have a place: that of a size that is not kept is
            // entered by the next smaller one.
            let smallest = arrays.iter().any(|a| a.sizes.contains(&PageSize::Base));
            smallest.then_some(arrays).ok_or_else(wrong)
        };
        Ok(Geometry {
            l1: level(l1)?,
            l2: level(l2)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_geometry_is_read_or_refused() {
        let read = Geometry::parse("64/4/4k:4/4/1g", "1536/12/4k+2m").unwrap();
        assert_eq!(read.l1.len(), 2);
        assert_eq!(read.l2[0].sets(), 128);
        assert_eq!(read.l2[0].sizes, [PageSize::Base, PageSize::Large]);
        for bad in [
            "",
            "64",
            "64/4",
            "64/4/8k",
            "64/5/4k",
            "96/32/4k",
            "0/4/4k",
            "64/0/4k",
            "64/4/4k/1",
            "64/4/2m",
        ] {
            let error = Geometry::parse(bad, "64/4/4k").unwrap_err();
            assert!(error.contains("ENTRIES/WAYS/SIZES"), "{error}");
        }
    }
}
