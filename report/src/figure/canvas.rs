// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What all figures share: the sheet with its legend, the frame with its axes,
//! and the SVG element around them.
//!
//! Plotters draws on whole pixels; the sheet is drawn at [`FINE`] times its size
//! and shown smaller, which puts curves on fractions of a pixel. Ink, grid and
//! paper are three fixed colours that the page's style sheet replaces in a dark
//! page; a figure saved by itself keeps them.

use super::{axis::Axis, palette::Stroke};
use crate::clean;
use plotters::{
    coord::Shift,
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

/// Drawn pixels to one shown pixel.
pub(super) const FINE: i32 = 2;

/// The shown width of a figure in CSS pixels.
const WIDTH: i32 = 720;

pub(super) const INK: RGBColor = RGBColor(0x1b, 0x1f, 0x23);
pub(super) const GRID: RGBColor = RGBColor(0xdf, 0xe3, 0xe7);
pub(super) const PAPER: RGBColor = RGBColor(0xff, 0xff, 0xff);

pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// A legend entry.
pub(super) type Key = (String, Stroke);

/// How a tick is written.
pub(super) type Ticks<'f> = &'f dyn Fn(&f64) -> String;

/// The two axes of a chart, what they are called and how their ticks are written.
pub(super) struct Axes<'f> {
    pub(super) x: (Axis, &'f str, Ticks<'f>),
    pub(super) y: (Axis, &'f str, Ticks<'f>),
    /// Width of the space for the labels of y, in shown pixels.
    pub(super) left: i32,
}

/// The chart that figures draw on.
pub(super) type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Axis, Axis>>;

/// Draws a sheet `height` shown pixels high under its legend: `title` for those
/// who cannot see it, `watermark` in a corner. `draw` gets what the legend left.
pub(super) fn sheet(
    title: &str,
    height: i32,
    keys: &[Key],
    watermark: Option<&str>,
    draw: impl FnOnce(&Area<'_>) -> Result<(), String>,
) -> Result<String, String> {
    let mut svg = String::new();
    let room = WIDTH - watermark.map_or(0, |mark| text_width(mark) + 24);
    let rows = legend_rows(keys, room);
    let legend_height = rows.len() as i32 * 20 + 8;
    let height = height + legend_height;
    {
        let size = ((WIDTH * FINE) as u32, (height * FINE) as u32);
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        root.fill(&PAPER).map_err(said)?;
        let (top, rest) = root.split_vertically(legend_height * FINE);
        for (row, keys) in rows.iter().enumerate() {
            for (x, (name, stroke)) in keys {
                entry(&top, (*x, row as i32 * 20 + 14), name, *stroke)?;
            }
        }
        if let Some(mark) = watermark {
            let right = font(12).pos(Pos::new(HPos::Right, VPos::Center));
            let at = ((WIDTH - 12) * FINE, 14 * FINE);
            top.draw(&Text::new(mark.to_string(), at, right))
                .map_err(said)?;
        }
        draw(&rest)?;
        root.present().map_err(said)?;
    }
    Ok(with_title(&dashed(&svg), title, (WIDTH, height)))
}

/// A chart with grid, ticks and the names of its axes.
pub(super) fn chart<'a, 'b>(area: &'a Area<'b>, axes: &Axes<'_>) -> Result<Chart<'a, 'b>, String> {
    let mut chart = ChartBuilder::on(area)
        .margin_left(6 * FINE)
        .margin_right(16 * FINE)
        .margin_top(4 * FINE)
        .set_label_area_size(LabelAreaPosition::Bottom, 44 * FINE)
        .set_label_area_size(LabelAreaPosition::Left, axes.left * FINE)
        .build_cartesian_2d(axes.x.0.clone(), axes.y.0.clone())
        .map_err(said)?;
    let mut mesh = chart.configure_mesh();
    mesh.axis_style(GRID.stroke_width(FINE as u32))
        .bold_line_style(GRID.stroke_width(1))
        .label_style(font(12))
        .axis_desc_style(font(13))
        .x_desc(axes.x.1)
        .y_desc(axes.y.1)
        .x_label_formatter(axes.x.2)
        .y_label_formatter(axes.y.2);
    if axes.y.1.is_empty() {
        mesh.disable_y_mesh();
    }
    mesh.draw().map_err(said)?;
    Ok(chart)
}

/// A polyline through `points`.
pub(super) fn curve(
    chart: &mut Chart<'_, '_>,
    points: &[(f64, f64)],
    stroke: Stroke,
) -> Result<(), String> {
    let style = line(stroke);
    chart
        .draw_series(LineSeries::new(corners(points), style))
        .map_err(said)?;
    Ok(())
}

/// `points` without those in the middle of a level or an upright line, which cannot be seen.
pub(super) fn corners(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut corners: Vec<(f64, f64)> = Vec::new();
    for &(x, y) in points {
        if let [.., a, b] = corners.as_slice()
            && (a.0 == b.0 && b.0 == x || a.1 == b.1 && b.1 == y)
        {
            corners.pop();
        }
        corners.push((x, y));
    }
    corners
}

/// A dot; a ring if `hollow`.
pub(super) fn mark(
    chart: &mut Chart<'_, '_>,
    at: (f64, f64),
    colour: RGBColor,
    hollow: bool,
) -> Result<(), String> {
    let radius = 3 * FINE;
    let marks = match hollow {
        true => vec![
            Circle::new(at, radius, PAPER.filled()),
            Circle::new(at, radius, colour.stroke_width(FINE as u32)),
        ],
        false => vec![Circle::new(at, radius, colour.filled())],
    };
    chart.draw_series(marks).map_err(said)?;
    Ok(())
}

/// An interval, level or upright, with caps.
pub(super) fn whisker(
    chart: &mut Chart<'_, '_>,
    ends: [(f64, f64); 2],
    colour: RGBColor,
) -> Result<(), String> {
    let style = colour.stroke_width(FINE as u32);
    let cap = match ends[0].0 == ends[1].0 {
        true => (3 * FINE, 0),
        false => (0, 3 * FINE),
    };
    let caps = ends.map(|end| {
        let across = vec![(-cap.0, -cap.1), cap];
        EmptyElement::at(end) + PathElement::new(across, style)
    });
    let body = PathElement::new(ends.to_vec(), style);
    chart.draw_series([body]).map_err(said)?;
    chart.draw_series(caps).map_err(said)?;
    Ok(())
}

/// The style of a line. The SVG backend knows no dashes; an opacity that nothing
/// else has stands for one until [`dashed`] puts it in.
fn line(stroke: Stroke) -> ShapeStyle {
    let opacity = match stroke.dash {
        0 => 1.0,
        dash => DASHES[(dash - 1) % DASHES.len()].0,
    };
    let colour = stroke.colour.mix(opacity);
    colour.stroke_width(2 * FINE as u32)
}

/// Opacities that stand for a dash, and the dash in drawn pixels.
const DASHES: [(f64, &str); 7] = [
    (0.999, "16 8"),
    (0.998, "4 6"),
    (0.997, "20 6 4 6"),
    (0.996, "32 10"),
    (0.995, "8 8"),
    (0.994, "20 6 4 6 4 6"),
    (0.993, "32 8 12 8"),
];

fn dashed(svg: &str) -> String {
    DASHES.iter().fold(svg.to_string(), |svg, (opacity, dash)| {
        let opacity = format!("opacity=\"{opacity}\"");
        svg.replace(&opacity, &format!("stroke-dasharray=\"{dash}\""))
    })
}

/// Text of `size` shown pixels in the colour of ink. The SVG backend divides the
/// size of a font by 1.24.
pub(super) fn font(size: i32) -> TextStyle<'static> {
    ("sans-serif", f64::from(size * FINE) * 1.24)
        .into_font()
        .color(&INK)
}

/// What plotters said.
pub(super) fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Entries with their x, in as many rows as they need.
fn legend_rows(keys: &[Key], room: i32) -> Vec<Vec<(i32, Key)>> {
    let mut rows = vec![Vec::new()];
    let mut x = 12;
    for (name, stroke) in keys {
        let name = clean::shorten(name, 44);
        let width = 22 + dash_room(*stroke) + text_width(&name) + 14;
        // The watermark stands in the first row only.
        let room = if rows.len() == 1 { room } else { WIDTH };
        if x + width > room && x > 12 {
            rows.push(Vec::new());
            x = 12;
        }
        if let Some(row) = rows.last_mut() {
            row.push((x, (name, *stroke)));
        }
        x += width;
    }
    rows
}

/// How wide `text` is in the widest of the usual fonts at 13 pixels: the SVG backend
/// cannot measure, and a gap costs nothing.
pub(super) fn text_width(text: &str) -> i32 {
    let width = |c| match c {
        'i' | 'j' | 'l' | ' ' | '.' | ',' | ':' | '-' | '/' => 5,
        'f' | 'r' | 't' => 6,
        'm' | 'w' | 'M' | 'W' | '%' => 13,
        c if c.is_ascii_lowercase() => 8,
        c if c.is_ascii() => 10,
        _ => 13,
    };
    text.chars().map(width).sum()
}

/// A name behind a piece of its colour, or of its line if that is dashed.
fn entry(area: &Area<'_>, (x, y): (i32, i32), name: &str, stroke: Stroke) -> Result<(), String> {
    let (x, y) = (x * FINE, y * FINE);
    let width = 14 + dash_room(stroke);
    let swatch = [(x, y - 5 * FINE), (x + width * FINE, y + 5 * FINE)];
    match stroke.dash {
        0 => area.draw(&Rectangle::new(swatch, stroke.colour.filled())),
        _ => area.draw(&PathElement::new(
            vec![(x, y), (x + width * FINE, y)],
            line(stroke),
        )),
    }
    .map_err(said)?;
    let left = font(13).pos(Pos::new(HPos::Left, VPos::Center));
    let at = (x + (width + 6) * FINE, y);
    area.draw(&Text::new(name.to_string(), at, left))
        .map_err(said)
}

/// What a dash needs beyond a swatch to be seen as one, in shown pixels.
fn dash_room(stroke: Stroke) -> i32 {
    if stroke.dash == 0 { 0 } else { 20 }
}

/// Shows the drawing at its size and says what it is to those who cannot see it.
fn with_title(svg: &str, title: &str, (width, height): (i32, i32)) -> String {
    let title = escaped(&clean::shorten(title, 200));
    let view = format!("viewBox=\"0 0 {} {}\"", width * FINE, height * FINE);
    let open = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         {view} role=\"img\" aria-label=\"{title}\"><title>{title}</title>"
    );
    match svg
        .split_once("<svg")
        .and_then(|(_, rest)| rest.split_once('>'))
    {
        Some((_, body)) => open + body,
        None => open + "</svg>",
    }
}

fn escaped(text: &str) -> String {
    let text = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    text.replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_corners_of_level_and_upright_lines_are_kept() {
        let points = [
            (0.0, 0.0),
            (1.0, 0.0),
            (2.0, 0.0),
            (2.0, 3.0),
            (2.0, 5.0),
            (3.0, 6.0),
            (4.0, 7.0),
        ];
        let kept = [(0.0, 0.0), (2.0, 0.0), (2.0, 5.0), (3.0, 6.0), (4.0, 7.0)];
        assert_eq!(corners(&points), kept);
        assert_eq!(corners(&points[..1]), points[..1]);
    }
}
