// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What proves that data crossed: a sequence that neither side can guess from
//! the other's length alone, and a digest over it.

/// The `index`-th value of the sequence `seed`, the same on both sides.
///
/// It is the output function of SplitMix64 (Steele, Lea, Flood: "Fast
/// splittable pseudorandom number generators", OOPSLA 2014), chosen because a
/// value is found without the ones before it.
pub const fn value(seed: u64, index: u64) -> u64 {
    let mut z = seed.wrapping_add(index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// What 64-bit word `index` of a disk holds: cheap to make and to check, and
/// different in every place and for every seed.
pub const fn pattern(seed: u64, index: u64) -> u64 {
    index.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ seed
}

/// An order-sensitive digest of 64-bit words: FNV-1a with the word as its step
/// (parameters of the 64-bit FNV, draft-eastlake-fnv). It guards against
/// mistakes, not against malice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(u64);

impl Digest {
    /// The digest of nothing.
    pub const fn new() -> Self {
        Digest(0xcbf2_9ce4_8422_2325)
    }

    /// Appends one word.
    pub const fn push(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(0x0000_0100_0000_01b3);
    }

    /// The digest so far.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The digest of the first `count` values of sequence `seed`, each cut to
    /// `width` bytes as an access of that width cuts it, and each `run` times.
    pub fn of_values(seed: u64, count: u64, width: u64, run: u64) -> u64 {
        let mut digest = Self::new();
        for i in 0..count {
            for _ in 0..run {
                digest.push(truncate(value(seed, i), width));
            }
        }
        digest.get()
    }
}

/// The low `width` bytes of `word`.
pub const fn truncate(word: u64, width: u64) -> u64 {
    match width {
        0 => 0,
        1..=7 => word & ((1 << (8 * width)) - 1),
        _ => word,
    }
}

impl Default for Digest {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first outputs of SplitMix64 from state 0, as its authors' reference
    /// program prints them.
    #[test]
    fn the_sequence_is_splitmix64() {
        let first: [u64; 3] = core::array::from_fn(|i| value(0, i as u64));
        assert_eq!(
            first,
            [
                0xe220_a839_7b1d_cdaf,
                0x6e78_9e6a_a1b9_65f4,
                0x06c4_5d18_8009_454f
            ]
        );
    }

    #[test]
    fn a_digest_sees_order_and_length() {
        let of = |words: &[u64]| {
            let mut d = Digest::new();
            words.iter().for_each(|w| d.push(*w));
            d.get()
        };
        assert_ne!(of(&[1, 2]), of(&[2, 1]));
        assert_ne!(of(&[0]), of(&[0, 0]));
        let low = |i| value(9, i) & 0xffff_ffff;
        assert_eq!(Digest::of_values(9, 2, 4, 1), of(&[low(0), low(1)]));
        assert_eq!(
            Digest::of_values(9, 2, 4, 2),
            of(&[low(0), low(0), low(1), low(1)])
        );
        assert_eq!(Digest::of_values(9, 1, 8, 1), of(&[value(9, 0)]));
        assert_eq!(truncate(0x1234_5678, 1), 0x78);
    }
}
