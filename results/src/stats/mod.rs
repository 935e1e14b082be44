// SPDX-License-Identifier: Apache-2.0 OR MIT
//! From samples to figures. Floating point begins here.
//!
//! The unit of inference is the block: the samples of one fresh VM become one
//! number (their median), and every interval is about those numbers. Samples
//! pooled over blocks are correlated within a VM; intervals from pooled samples
//! called 20 to 93 % of identical arms different in simulation.
//! Pooled samples are therefore only described ([`Sorted`], [`Tail`]), never
//! tested.
//!
//! One file a topic. Every function is total: too little data is `None` or a
//! typed reason, never a panic, a NaN or an infinity. Nothing here knows a
//! record or a strategy; [`crate::compare`] brings the numbers.

mod bootstrap;
mod effect;
mod holm;
mod levels;
mod modes;
mod order;
mod permutation;
mod quantile;
mod rank;
mod ratio;
mod shift;
mod tail;
mod trend;
mod wilson;

#[cfg(test)]
pub(crate) mod simulate;
#[cfg(test)]
mod tests;

pub use bootstrap::{Interval, MIN_BLOCKS, RESAMPLES, TAIL, median_interval};
pub use effect::{POWER, detectable, detectable_between, detectable_paired, noise};
pub use holm::holm;
pub use levels::{Level, levels};
pub use modes::{MIN_MODES, mode_gap};
pub use order::quantile_interval;
pub use permutation::{EXACT_MAX, rank_sum, sign_flip};
pub use quantile::{Sorted, median, sample_median};
pub use ratio::{LEVEL, Precision, Ratio, Undefined, counted_ratio, paired_ratio};
pub use shift::{Shift, shift};
pub use tail::{NotEnough, Tail};
pub use trend::{MIN_TREND, trend};
pub use wilson::wilson;
