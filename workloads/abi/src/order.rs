// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The order in which pages are touched, known to both sides without a table.

use crate::value;

/// A permutation of `0..count`.
///
/// It is a balanced Feistel network of four rounds over the smallest even number
/// of bits that holds `count`, walked along its cycles until it lands within
/// (Black, Rogaway: "Ciphers with Arbitrary Finite Domains", CT-RSA 2002). The
/// rounds use [`value`]: they must scatter, and need not be secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    seed: u64,
    count: u64,
    half: u32,
}

impl Order {
    /// The order `seed` of `count` things; seed 0 is the ascending one.
    pub const fn new(seed: u64, count: u64) -> Self {
        let bits = u64::BITS - count.saturating_sub(1).leading_zeros();
        Order {
            seed,
            count,
            half: bits.div_ceil(2),
        }
    }

    /// The `index`-th thing.
    pub const fn at(&self, index: u64) -> u64 {
        if self.seed == 0 || index >= self.count {
            return index;
        }
        let mut at = self.scatter(index);
        // The network permutes a range less than four times as large, so that
        // a walk along a cycle comes back into it soon.
        while at >= self.count {
            at = self.scatter(at);
        }
        at
    }

    const fn scatter(&self, index: u64) -> u64 {
        let mask = (1 << self.half) - 1;
        let (mut left, mut right) = (index >> self.half, index & mask);
        let mut round = 0;
        while round < 4 {
            let mixed = left ^ value(self.seed ^ right, round) & mask;
            (left, right) = (right, mixed);
            round += 1;
        }
        left << self.half | right
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_comes_once_and_not_in_order() {
        for count in [1u64, 2, 3, 7, 64, 1000, 1024] {
            let order = Order::new(5, count);
            let mut seen = [false; 1024];
            for i in 0..count {
                let at = order.at(i) as usize;
                assert!(at < count as usize && !seen[at], "{at} of {count}");
                seen[at] = true;
            }
        }
        let order = Order::new(5, 1024);
        let neighbours = (1..1024).filter(|i| order.at(*i).abs_diff(order.at(i - 1)) == 1);
        assert!(neighbours.count() < 20);
        assert_eq!(Order::new(0, 10).at(7), 7);
    }
}
