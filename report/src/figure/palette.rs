// SPDX-License-Identifier: Apache-2.0 OR MIT
//! One colour a strategy, the same in every table and figure of a report, and one
//! dash a mode.
//!
//! The hues are those of Okabe & Ito ("Color Universal Design", 2008), which
//! people with any common colour blindness can tell apart, darkened where they
//! would have less than 3:1 contrast on white; all have 3:1 on the dark page too.
//! Colour never stands alone: figures are labelled and ratios carry a mark.

use plotters::style::RGBColor;
use results::{BASELINE, Cell, Run, cell::Params};
use std::collections::{BTreeMap, BTreeSet};

/// The baseline is what the others are seen against, hence without hue.
const GREY: RGBColor = RGBColor(0x76, 0x7b, 0x82);

const HUES: [RGBColor; 7] = [
    RGBColor(0x8a, 0x6d, 0x0a),
    RGBColor(0x1f, 0x7f, 0xc4),
    RGBColor(0xc4, 0x62, 0x9b),
    RGBColor(0x00, 0x96, 0x6d),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x7d, 0x62, 0xd0),
    RGBColor(0x0e, 0x8a, 0x9c),
];

/// Phases follow one another: a ramp from dark to light (after viridis), so that
/// it cannot be taken for the colours of strategies.
const RAMP: [RGBColor; 8] = [
    RGBColor(0x5b, 0x3a, 0x8c),
    RGBColor(0x47, 0x5f, 0xa5),
    RGBColor(0x38, 0x84, 0xa6),
    RGBColor(0x2f, 0xa3, 0x98),
    RGBColor(0x58, 0xb8, 0x70),
    RGBColor(0x9c, 0xc6, 0x53),
    RGBColor(0xd9, 0xc9, 0x3a),
    RGBColor(0xf0, 0xa8, 0x3a),
];

/// How a curve is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stroke {
    /// That of the strategy.
    pub(super) colour: RGBColor,
    /// 0 for the defaults: a whole line; from 1 on a dash for each mode.
    pub(super) dash: usize,
}

/// The colours of the strategies of one run, and the modes that each has.
pub(crate) struct Palette {
    colours: BTreeMap<String, RGBColor>,
    modes: BTreeMap<String, BTreeSet<Params>>,
}

impl Palette {
    /// In the order of the plan, then of the record; beyond seven, hues repeat.
    pub(crate) fn of(run: &Run) -> Self {
        let planned = run.plan.strategies.iter().map(|s| s.name.as_str());
        let recorded = run.rows.iter().map(|row| row.cell.strategy.as_str());
        let mut colours = BTreeMap::from([(BASELINE.to_string(), GREY)]);
        for name in planned.chain(recorded) {
            let hue = HUES[(colours.len() - 1) % HUES.len()];
            if !colours.contains_key(name) {
                colours.insert(name.to_string(), hue);
            }
        }
        let cells = run.plan.cells.iter();
        let cells = cells.chain(run.rows.iter().map(|row| &row.cell));
        let mut modes: BTreeMap<String, BTreeSet<Params>> = BTreeMap::new();
        for cell in cells.filter(|cell| !cell.mode.is_empty()) {
            let of = modes.entry(cell.strategy.clone()).or_default();
            of.insert(cell.mode.clone());
        }
        Palette { colours, modes }
    }

    /// How the curve of an arm is drawn.
    pub(super) fn stroke(&self, cell: &Cell) -> Stroke {
        let modes = self.modes.get(&cell.strategy);
        let place = modes.and_then(|modes| modes.iter().position(|mode| *mode == cell.mode));
        Stroke {
            colour: self.colour(&cell.strategy),
            dash: place.map_or(0, |place| place + 1),
        }
    }

    /// The colour of a strategy; grey for one that is not in the run.
    fn colour(&self, strategy: &str) -> RGBColor {
        self.colours.get(strategy).copied().unwrap_or(GREY)
    }

    /// The same as `rrggbb`.
    pub(crate) fn hex(&self, strategy: &str) -> String {
        hex(self.colour(strategy))
    }

    /// Every colour that [`Palette::hex`] gives.
    pub(crate) fn hexes(&self) -> BTreeSet<String> {
        let all = self.colours.values().chain([&GREY]);
        all.map(|colour| hex(*colour)).collect()
    }
}

fn hex(RGBColor(r, g, b): RGBColor) -> String {
    format!("{r:02x}{g:02x}{b:02x}")
}

/// The colour of phase `index` of `of`, spread over the ramp and mixed from its
/// neighbours there, so that no two are the same.
pub(super) fn phase(index: usize, of: usize) -> RGBColor {
    let last = of.saturating_sub(1).max(1);
    let along = index.min(last) as f64 / last as f64 * (RAMP.len() - 1) as f64;
    let below = along as usize;
    let RGBColor(r, g, b) = RAMP[below];
    let RGBColor(to_r, to_g, to_b) = RAMP[(below + 1).min(RAMP.len() - 1)];
    let mix = |from: u8, to: u8| {
        let (from, to) = (f64::from(from), f64::from(to));
        (from + (to - from) * along.fract()).round() as u8
    };
    RGBColor(mix(r, to_r), mix(g, to_g), mix(b, to_b))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WCAG 2.1 contrast ratio.
    fn contrast(a: RGBColor, b: RGBColor) -> f64 {
        let luminance = |RGBColor(r, g, b): RGBColor| {
            let [r, g, b] = [r, g, b].map(|c| match f64::from(c) / 255.0 {
                c if c <= 0.04045 => c / 12.92,
                c => ((c + 0.055) / 1.055).powf(2.4),
            });
            0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05
        };
        let (a, b) = (luminance(a), luminance(b));
        a.max(b) / a.min(b)
    }

    #[test]
    fn strategies_stand_out_on_white_and_on_the_dark_page() {
        for colour in HUES.into_iter().chain([GREY]) {
            for page in [RGBColor(255, 255, 255), RGBColor(0x15, 0x18, 0x1c)] {
                assert!(contrast(colour, page) >= 3.0, "{colour:?}");
            }
        }
    }

    #[test]
    fn phases_are_spread_over_the_ramp() {
        assert_eq!(phase(0, 1), RAMP[0]);
        assert_eq!((phase(0, 2), phase(1, 2)), (RAMP[0], RAMP[7]));
        assert_eq!((phase(0, 8), phase(7, 8)), (RAMP[0], RAMP[7]));
        let mut twelve: Vec<_> = (0..12).map(|i| phase(i, 12)).collect();
        twelve.dedup();
        assert_eq!(
            (twelve.len(), twelve[0], twelve[11]),
            (12, RAMP[0], RAMP[7])
        );
        assert_eq!(phase(30, 20), RAMP[7]);
    }
}
