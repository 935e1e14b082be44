// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The change of each row of a table as a dot with its interval, all on one axis of
//! logarithms. It shows nothing that does not stand beside it in digits, and is hidden
//! from those who cannot see it.

use maud::{Markup, html};
use results::gate::{Change, Metric};

/// Half the width of a drawing, and its height.
const HALF: f64 = 75.0;
const HEIGHT: f64 = 16.0;

/// What is beyond a factor of this is drawn at the edge.
const MOST: f64 = 8.0;

/// An axis with no change in its middle.
pub(super) struct Axis {
    /// The logarithm at either end.
    end: f64,
}

impl Axis {
    /// One on which all of `metrics` have room; `None` if there is nothing to draw.
    pub(super) fn over(metrics: &[&Metric]) -> Option<Self> {
        let changes = metrics.iter().filter_map(|m| m.change);
        let ends = changes.flat_map(|c| span(&c)).map(|ratio| ratio.ln().abs());
        let end = ends.filter(|log| log.is_finite()).fold(0.0, f64::max);
        (end > 0.0).then(|| Axis {
            end: end.min(MOST.ln()),
        })
    }

    /// Where a ratio lies, from 0 to twice [`HALF`].
    fn place(&self, ratio: f64) -> f64 {
        // The logarithm of 0 is at the left edge.
        let log = ratio.max(f64::MIN_POSITIVE).ln() / self.end;
        // A dot at the edge is still a whole one.
        HALF + (HALF - 4.0) * log.clamp(-1.0, 1.0)
    }

    /// The change of `metric`, if it has one.
    pub(super) fn draw(&self, metric: &Metric) -> Markup {
        let Some(change) = metric.change else {
            return html! {};
        };
        let [low, high] = span(&change).map(|ratio| format!("{:.1}", self.place(ratio)));
        let dot = format!("{:.1}", self.place(change.ratio));
        let middle = HEIGHT / 2.0;
        html! {
            svg.ends viewBox={ "0 0 " (2.0 * HALF) " " (HEIGHT) } aria-hidden="true" focusable="false" {
                line.none x1=(HALF) x2=(HALF) y1="0" y2=(HEIGHT) {}
                @if low != high { line x1=(low) x2=(high) y1=(middle) y2=(middle) {} }
                circle cx=(dot) cy=(middle) r="3" {}
            }
        }
    }
}

/// The ends of a change: those of its interval, or itself twice.
fn span(change: &Change) -> [f64; 2] {
    let ends = change.interval.map(|i| [i.low, i.high]);
    ends.unwrap_or([change.ratio; 2])
}
