// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Draws a [`Plot`].

use super::{
    canvas::{Axes, Key, chart, curve, mark, sheet, whisker},
    palette::Palette,
    plot::{Form, Plot, Point},
};

/// The dash of a curve that is there to be compared with.
const REFERENCE_DASH: usize = 2;

/// The SVG of `plot`, called `title`.
///
/// # Errors
/// What plotters says.
pub(super) fn svg(
    plot: &Plot<'_>,
    palette: &Palette,
    watermark: Option<&str>,
    title: &str,
) -> Result<String, String> {
    let keys = keys(plot, palette);
    let [x, y] = [plot.x.label(), plot.y.label()];
    let axes = Axes {
        x: (plot.x.axis.clone(), &x, &|v| plot.x.tick(*v)),
        y: (plot.y.axis.clone(), &y, &|v| plot.y.tick(*v)),
        left: 76,
    };
    sheet(title, 300, &keys, watermark, |area| {
        let mut chart = chart(area, &axes)?;
        for (c, (_, stroke)) in plot.curves.iter().zip(&keys) {
            let points = match plot.form {
                Form::Steps => steps(&c.points, plot.x.axis.at(1.0)),
                Form::Line | Form::Marked => c.points.iter().map(|p| (p.x, p.y)).collect(),
            };
            curve(&mut chart, &points, *stroke)?;
            if plot.form == Form::Marked {
                for p in &c.points {
                    if let Some(interval) = p.interval.filter(|i| i.low < i.high) {
                        let ends = [(p.x, interval.low), (p.x, interval.high)];
                        whisker(&mut chart, ends, stroke.colour)?;
                    }
                    mark(&mut chart, (p.x, p.y), stroke.colour, false)?;
                }
            }
        }
        Ok(())
    })
}

/// The legend. Of one strategy's arms only the first has its name.
fn keys(plot: &Plot<'_>, palette: &Palette) -> Vec<Key> {
    let mut strategy = "";
    let mut keys = Vec::new();
    for c in &plot.curves {
        let mut stroke = palette.stroke(c.cell);
        if c.reference {
            stroke.dash = REFERENCE_DASH;
        }
        let mode = c.name.strip_prefix(strategy);
        let mode = mode.filter(|mode| !strategy.is_empty() && mode.starts_with(' '));
        let name = match mode {
            Some(mode) => format!("…{mode}"),
            None => c.name.clone(),
        };
        strategy = &c.cell.strategy;
        keys.push((name, stroke));
    }
    keys
}

/// The corners of a curve in steps, from the base line on and as far as `end`.
fn steps(points: &[Point], end: f64) -> Vec<(f64, f64)> {
    let mut corners = Vec::with_capacity(2 * points.len() + 1);
    let mut height = 0.0;
    for p in points {
        if p.x > end {
            corners.push((end, height));
            break;
        }
        corners.extend([(p.x, height), (p.x, p.y)]);
        height = p.y;
    }
    corners
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_begins_on_the_base_line_and_goes_up_at_its_x() {
        let points = [(1.0, 20.0), (4.0, 100.0)].map(Point::from);
        let corners = [(1.0, 0.0), (1.0, 20.0), (4.0, 20.0), (4.0, 100.0)];
        assert_eq!(steps(&points, 4.0), corners);
        let cut = [(1.0, 0.0), (1.0, 20.0), (3.0, 20.0)];
        assert_eq!(steps(&points, 3.0), cut);
    }
}
