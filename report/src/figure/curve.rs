// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Something against the size of the working set, one curve an arm.

use super::{
    Drawn, Palette,
    axis::Axis,
    canvas::{Axes, Key, chart, curve, sheet},
};
use crate::{number, tlb::drawing::Drawing};

/// The dash of a curve that is there to be compared with.
const REFERENCE_DASH: usize = 2;

/// `None` if no curve has two points.
pub(super) fn draw(
    drawing: &Drawing<'_>,
    palette: &Palette,
    watermark: Option<&str>,
    title: &str,
) -> Option<Drawn> {
    let curves = || drawing.curves.iter().filter(|c| c.points.len() > 1);
    let keys: Vec<Key> = curves()
        .map(|c| {
            let mut stroke = palette.stroke(c.cell);
            if c.reference {
                stroke.dash = REFERENCE_DASH;
            }
            (c.name.clone(), stroke)
        })
        .collect();
    if keys.is_empty() {
        return None;
    }
    let points = || curves().flat_map(|c| &c.points);
    let most = points().map(|(_, y)| *y).fold(0.0, f64::max);
    let y = match drawing.log {
        true => Axis::spanning(points().map(|(_, y)| *y)),
        false => Axis::from_zero(most),
    };
    let axes = Axes {
        x: (Axis::spanning(points().map(|(x, _)| *x)), drawing.x, &|x| {
            number::tick(*x)
        }),
        y: (y, drawing.y, &|y| number::tick(*y)),
        left: 76,
    };
    Some(sheet(title, 320, &keys, watermark, |area| {
        let mut chart = chart(area, &axes)?;
        for (c, (_, stroke)) in curves().zip(&keys) {
            curve(&mut chart, c.points.clone(), *stroke)?;
        }
        Ok(())
    }))
}
