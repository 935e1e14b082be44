// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Invented noise for tests: how often does a method say what it should not?

use rand::{Rng, SeedableRng, rngs::ChaCha8Rng};
use statrs::distribution::{ContinuousCDF, Normal};

/// Normal noise of mean 0 and deviation 1, the same for the same seed.
pub(crate) struct Normals(ChaCha8Rng);

impl Normals {
    pub(crate) fn new(seed: u64) -> Self {
        Normals(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A number between 0 and 1, neither included.
    pub(crate) fn uniform(&mut self) -> f64 {
        ((self.0.next_u64() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
    }

    pub(crate) fn take(&mut self, n: usize) -> Vec<f64> {
        let normal = Normal::standard();
        (0..n).map(|_| normal.inverse_cdf(self.uniform())).collect()
    }
}

/// In which part of `trials` a thing is so.
pub(crate) fn share(trials: usize, mut so: impl FnMut() -> bool) -> f64 {
    let hits = (0..trials).filter(|_| so()).count();
    hits as f64 / trials as f64
}
