// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a boot spends its time on: one bar an arm, one piece a phase, in the
//! order in which the phases happen. A piece is the median over blocks of its
//! phase; the median of the total, which stands in the table, need not be their
//! sum.

use super::{
    axis::Axis,
    canvas::{Axes, FINE, PAPER, chart, font, said, sheet, text_width},
    data,
    palette::{self, Stroke},
    subject::{Drawn, Subject},
};
use crate::clean;
use plotters::{
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};
use results::{
    Cell, Outcome,
    compare::{Arm, blocks},
    stats::median,
};

/// The longest name of an arm that is shown whole, in characters.
const NAME: usize = 44;

/// The kind of figure.
pub(super) const KIND: &str = "Phases";

/// How to read it.
pub(super) const CAPTION: &str = "A piece is the median of its phase over blocks; their sum need \
                                  not be the median of the total.";

/// `None` if no arm has a phase. `order` names the phases; if it names none,
/// every series but the table's own is taken, by name.
pub(super) fn draw(
    subject: &Subject<'_, '_>,
    order: &[String],
    watermark: Option<&str>,
    title: &str,
) -> Option<Result<Drawn, String>> {
    let measured = subject.table.arms.iter().filter(|arm| arm.figures.is_ok());
    let arms: Vec<&Arm<'_>> = measured.collect();
    let phases = match order {
        [] => other_series(&arms, subject.table.series),
        order => order.iter().map(String::as_str).collect(),
    };
    let bars: Vec<Bar<'_>> = arms
        .iter()
        .map(|arm| (arm.cell, pieces(arm, &phases)))
        .collect();
    let sums = bars.iter().map(|(_, pieces)| pieces.iter().sum::<f64>());
    let names: Vec<String> = bars
        .iter()
        .map(|(cell, _)| clean::shorten(&cell.arm(), NAME))
        .collect();
    let longest_name = names.iter().map(|name| text_width(name)).max()?;
    let longest = sums.fold(0.0, f64::max);
    if longest <= 0.0 {
        return None;
    }
    let numbered = phases.iter().enumerate();
    let keys =
        numbered.map(|(i, phase)| (phase.to_string(), plain(palette::phase(i, phases.len()))));
    let keys: Vec<_> = keys.collect();
    // Behind the longest bar there must be room for its total; letters are taken
    // to be 7 pixels wide.
    let left = 170.max(longest_name + 2);
    let plot = f64::from(694 - left);
    let total = 7 * subject.scale.with_unit(longest).chars().count();
    let stretch = plot / (plot - total as f64).max(plot / 4.0) / 1.04;
    let slots = bars.len() as f64;
    let name = |y: &f64| {
        let name = names.get((slots - *y) as usize);
        name.map_or(String::new(), String::clone)
    };
    let label = format!("since the start ({})", subject.scale.symbol);
    let ticks = (0..bars.len()).map(|i| i as f64 + 0.5).collect();
    let axes = Axes {
        x: (Axis::from_zero(longest * stretch.max(1.08)), &label, &|x| {
            subject.scale.tick(*x)
        }),
        y: (Axis::ticked(0.0, slots, ticks), "", &name),
        left,
    };
    let height = 30 * bars.len() as i32 + 60;
    let svg = sheet(title, height, &keys, watermark, |area| {
        let mut chart = chart(area, &axes)?;
        for (i, (_, pieces)) in bars.iter().enumerate() {
            let (bottom, top) = (slots - i as f64 - 0.82, slots - i as f64 - 0.18);
            let mut from = 0.0;
            for (piece, (_, stroke)) in pieces.iter().zip(&keys) {
                let corners = [(from, bottom), (from + piece, top)];
                let edge = PAPER.stroke_width(1);
                let bar = [
                    Rectangle::new(corners, stroke.colour.filled()),
                    Rectangle::new(corners, edge),
                ];
                chart.draw_series(bar).map_err(said)?;
                from += piece;
            }
            let style = font(12).pos(Pos::new(HPos::Left, VPos::Center));
            let at = EmptyElement::at((from, (bottom + top) / 2.0));
            let total = Text::new(subject.scale.with_unit(from), (5 * FINE, 0), style);
            chart.draw_series([at + total]).map_err(said)?;
        }
        Ok(())
    });
    Some(svg.and_then(|svg| {
        let csv = csv(
            &bars,
            &phases,
            subject.table.unit.map_or("", |u| u.symbol()),
        )?;
        Ok(Drawn { svg, csv })
    }))
}

/// An arm and its pieces, a piece a phase.
type Bar<'a> = (&'a Cell, Vec<f64>);

/// Every piece, a line each.
fn csv(bars: &[Bar<'_>], phases: &[&str], unit: &str) -> Result<String, String> {
    let columns = ["strategy", "mode", "phase", &data::named("median", unit)];
    let rows = bars.iter().flat_map(|(cell, pieces)| {
        let named = phases.iter().zip(pieces);
        named.map(|(phase, piece)| {
            let [strategy, mode] = data::arm(cell);
            vec![strategy, mode, phase.to_string(), piece.to_string()]
        })
    });
    data::csv(columns, rows)
}

/// Phases have a colour and no dash.
fn plain(colour: RGBColor) -> Stroke {
    Stroke { colour, dash: 0 }
}

fn pieces(arm: &Arm<'_>, phases: &[&str]) -> Vec<f64> {
    let piece = |phase: &&str| {
        let blocks: Vec<f64> = blocks(&arm.rows, phase).into_values().collect();
        median(&blocks).unwrap_or(0.0)
    };
    phases.iter().map(piece).collect()
}

fn other_series<'a>(arms: &[&Arm<'a>], headline: &str) -> Vec<&'a str> {
    let rows = arms.iter().flat_map(|arm| arm.rows.iter().copied());
    let series = rows.flat_map(|row| match &row.outcome {
        Outcome::Measured { samples, .. } => samples.keys().map(String::as_str).collect(),
        _ => Vec::new(),
    });
    let mut series: Vec<&str> = series.filter(|s| *s != headline).collect();
    series.sort_unstable();
    series.dedup();
    series
}
