// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Ratios to the baseline with their intervals: one band a table, in it one line an arm,
//! and an upright line where there is no difference. A testbed with few tables has one
//! such figure, one with many a figure for each family.

use super::{
    axis::Axis,
    canvas::{Axes, Chart, FINE, GRID, INK, Key, chart, mark, said, sheet, text_width, whisker},
    data,
    palette::Palette,
    subject::Drawn,
    sweep,
};
use crate::{
    clean,
    model::{self, Bed, Family},
    number::{self, Mark},
    samples,
};
use plotters::prelude::*;
use results::{
    BASELINE, Cell,
    cell::Group,
    compare::Table,
    stats::{Precision, Ratio},
};

/// The kind of figure.
pub(super) const KIND: &str = "Ratios";

/// The height of an arm's line and of the room between bands, in shown pixels.
const LINE: i32 = 7;
const ROOM: i32 = 9;

/// The most that bands may take together, in shown pixels.
const HEIGHT: i32 = 900;

/// The longest label that is shown whole, in characters.
const LABEL: usize = 56;

/// The ratios of one table.
struct Band<'t, 'a> {
    group: &'t Group,
    /// The workload with the parameters that differ within it.
    label: String,
    ratios: Vec<(&'a Cell, &'t Ratio)>,
}

/// The bands that are shown, and how many there are.
struct Forest<'t, 'a> {
    arms: Vec<&'a Cell>,
    bands: Vec<Band<'t, 'a>>,
    of: usize,
}

/// Whether all ratios of `bed` have room in one figure.
pub(super) fn fits(bed: &Bed<'_>) -> bool {
    let arms = bed.defaults().len().saturating_sub(1);
    bed.tables().count() <= most(arms)
}

/// How many bands of `arms` there is room for.
fn most(arms: usize) -> usize {
    let band = LINE * arms as i32 + ROOM;
    (HEIGHT / band).max(1) as usize
}

/// The figure of `families` and its caption; `None` where there are no ratios, or every
/// one is exactly 1.
pub(super) fn draw(
    bed: &Bed<'_>,
    families: &[Family<'_>],
    palette: &Palette,
    watermark: Option<&str>,
    title: &str,
) -> Option<(String, Result<Drawn, String>)> {
    let forest = Forest::of(bed, families)?;
    let drawn = forest.svg(palette, watermark, title).and_then(|svg| {
        let csv = forest.csv()?;
        Ok(Drawn { svg, csv })
    });
    Some((forest.caption(), drawn))
}

impl<'t, 'a> Forest<'t, 'a> {
    fn of(bed: &Bed<'a>, families: &'t [Family<'a>]) -> Option<Self> {
        let mut arms = bed.defaults();
        arms.retain(|cell| !cell.is_baseline());
        let bands = |tables: Vec<&'t Table<'a>>| -> Vec<Band<'t, 'a>> {
            let bands = tables.iter().map(|table| band(table, &tables, &arms));
            bands.filter(|band| !band.ratios.is_empty()).collect()
        };
        let workloads = families.iter().flat_map(|family| &family.workloads);
        let tables: Vec<Vec<&Table<'a>>> = workloads.map(|w| w.tables.iter().collect()).collect();
        let all: Vec<_> = tables.iter().cloned().flat_map(bands).collect();
        let of = all.len();
        let has = |cell: &Cell| {
            let mut ratios = all.iter().flat_map(|band| &band.ratios);
            ratios.any(|(known, _)| known.strategy == cell.strategy)
        };
        let shown_arms: Vec<&Cell> = arms.iter().copied().filter(|cell| has(cell)).collect();
        let open = |(_, ratio): &(&Cell, &Ratio)| {
            ratio.precision == Precision::Exact && Mark::of(ratio) == Mark::Open
        };
        if all.iter().flat_map(|band| &band.ratios).all(open) {
            return None;
        }
        let most = most(shown_arms.len());
        let bands = match of > most {
            false => all,
            true => {
                let ends = tables.iter().flat_map(|tables| bands(sweep::ends(tables)));
                most_worth_seeing(ends.collect(), most)
            }
        };
        Some(Forest {
            arms: shown_arms,
            bands,
            of,
        })
    }

    fn caption(&self) -> String {
        let mut caption = format!(
            "Ratios to {BASELINE}, of strategies with their defaults. A dot alone is a count, a dot \
             with a bar has a 95 % interval, and of a ring nothing is known but the ratio."
        );
        let shown = self.bands.len();
        if shown < self.of {
            caption += &format!(
                " Shown are {shown} of {} settings: those that differ most, and of a number that \
                 was varied the least and the greatest; the others are in the tables.",
                self.of
            );
        }
        caption
    }

    fn svg(
        &self,
        palette: &Palette,
        watermark: Option<&str>,
        title: &str,
    ) -> Result<String, String> {
        let keys: Vec<Key> = self
            .arms
            .iter()
            .map(|cell| (cell.arm(), palette.stroke(cell)))
            .collect();
        let labels: Vec<String> = self
            .bands
            .iter()
            .map(|band| clean::shorten(&band.label, LABEL))
            .collect();
        let longest = labels.iter().map(|label| text_width(label)).max();
        let slots = self.bands.len() as f64;
        let label = |y: &f64| {
            let label = labels.get((slots - *y) as usize);
            label.map_or(String::new(), String::clone)
        };
        let ratios = || self.bands.iter().flat_map(|band| &band.ratios);
        let x = Axis::ratios(ratios().flat_map(|(_, ratio)| reach(ratio)));
        let ticks = (0..self.bands.len()).map(|i| i as f64 + 0.5).collect();
        let name = format!("ratio to {BASELINE}");
        let axes = Axes {
            x: (x, &name, &|x| number::tick(*x)),
            y: (Axis::ticked(0.0, slots, ticks), "", &label),
            left: 100.max(longest.unwrap_or(0) + 2),
        };
        let band = LINE * self.arms.len() as i32 + ROOM;
        let height = band * self.bands.len() as i32 + 52;
        let [from, to] = [0.0, 1.0].map(|t| axes.x.0.at(t));
        sheet(title, height, &keys, watermark, |area| {
            let mut chart = chart(area, &axes)?;
            for edge in 1..self.bands.len() {
                straight(&mut chart, [(from, edge as f64), (to, edge as f64)], GRID)?;
            }
            straight(&mut chart, [(1.0, 0.0), (1.0, slots)], INK)?;
            for (i, shown) in self.bands.iter().enumerate() {
                for (place, cell) in self.arms.iter().enumerate() {
                    let arm = shown
                        .ratios
                        .iter()
                        .find(|(c, _)| c.strategy == cell.strategy);
                    let Some((_, ratio)) = arm else { continue };
                    let down = ROOM as f64 / 2.0 + LINE as f64 * (place as f64 + 0.5);
                    let y = slots - i as f64 - down / f64::from(band);
                    arm_line(&mut chart, ratio, y, palette.stroke(cell).colour)?;
                }
            }
            Ok(())
        })
    }

    fn csv(&self) -> Result<String, String> {
        let columns = [
            "workload",
            "params",
            "strategy",
            "mode",
            &format!("ratio to {BASELINE}"),
            "95 % interval low",
            "95 % interval high",
            "precision",
        ];
        let row = |band: &Band<'_, '_>, cell: &Cell, ratio: &Ratio| {
            let [strategy, mode] = data::arm(cell);
            let (ends, precision) = match ratio.precision {
                Precision::Exact => (None, number::exact(ratio)),
                Precision::Interval(interval) => (Some(interval), "interval"),
                Precision::TooFew => (None, "too few blocks"),
                Precision::NotDeterministic => (None, "not deterministic"),
            };
            let [low, high] = ends
                .map(|i| [i.low, i.high].map(|v| v.to_string()))
                .unwrap_or_default();
            vec![
                band.group.workload.clone(),
                samples::params(&band.group.params),
                strategy,
                mode,
                ratio.value.to_string(),
                low,
                high,
                precision.to_string(),
            ]
        };
        let rows = self.bands.iter().flat_map(|band| {
            let ratios = band.ratios.iter();
            ratios.map(move |(cell, ratio)| row(band, cell, ratio))
        });
        data::csv(columns, rows)
    }
}

fn band<'t, 'a>(table: &'t Table<'a>, siblings: &[&Table<'a>], arms: &[&'a Cell]) -> Band<'t, 'a> {
    let differs = |name: &String, value| {
        let mut others = siblings.iter();
        others.any(|t| t.group.params.get(name) != Some(value))
    };
    let mut label = table.group.workload.clone();
    for (name, value) in &table.group.params {
        if differs(name, value) {
            label += &format!(" {name}={value}");
        }
    }
    let ratios = arms.iter().filter_map(|cell| {
        let arm = model::arm(table, cell)?;
        Some((*cell, arm.ratio.as_ref().ok()?))
    });
    Band {
        group: &table.group,
        label,
        ratios: ratios.collect(),
    }
}

/// The `most` bands in which a ratio that means something is furthest from 1, in the
/// order in which they were.
fn most_worth_seeing<'t, 'a>(bands: Vec<Band<'t, 'a>>, most: usize) -> Vec<Band<'t, 'a>> {
    let furthest = |band: &Band<'_, '_>| {
        let shown = band
            .ratios
            .iter()
            .filter(|(_, r)| Mark::of(r) != Mark::Open);
        shown.map(|(_, r)| r.value.ln().abs()).fold(0.0, f64::max)
    };
    let mut ranked: Vec<(usize, Band<'_, '_>)> = bands.into_iter().enumerate().collect();
    ranked.sort_by(|(_, a), (_, b)| furthest(b).total_cmp(&furthest(a)));
    ranked.truncate(most);
    ranked.sort_by_key(|(place, _)| *place);
    ranked.into_iter().map(|(_, band)| band).collect()
}

/// The ends that an axis must have on it.
fn reach(ratio: &Ratio) -> [f64; 2] {
    match ratio.precision {
        Precision::Interval(interval) => [interval.low, interval.high],
        _ => [ratio.value; 2],
    }
}

fn arm_line(
    chart: &mut Chart<'_, '_>,
    ratio: &Ratio,
    y: f64,
    colour: RGBColor,
) -> Result<(), String> {
    let hollow = match ratio.precision {
        Precision::Interval(i) => {
            whisker(chart, [(i.low, y), (i.high, y)], colour)?;
            false
        }
        Precision::Exact => false,
        Precision::TooFew | Precision::NotDeterministic => true,
    };
    mark(chart, (ratio.value, y), colour, hollow)
}

/// A thin line between `ends`.
fn straight(
    chart: &mut Chart<'_, '_>,
    ends: [(f64, f64); 2],
    colour: RGBColor,
) -> Result<(), String> {
    let style = colour.stroke_width(FINE as u32);
    let line = PathElement::new(ends.to_vec(), style);
    chart.draw_series([line]).map_err(said)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use results::{Testbed, cell::Params, stats::Interval};

    fn ratio(value: f64, precision: Precision) -> Ratio {
        Ratio {
            value,
            precision,
            pairs: 15,
            p: None,
            detects: None,
        }
    }

    /// A forest of one arm with a band for each of `ratios`.
    fn forest<'t>(group: &'t Group, cell: &'t Cell, ratios: &'t [Ratio]) -> Forest<'t, 't> {
        let band = |(i, ratio)| Band {
            group,
            label: format!("band {i}"),
            ratios: vec![(cell, ratio)],
        };
        Forest {
            arms: vec![cell],
            bands: ratios.iter().enumerate().map(band).collect(),
            of: ratios.len(),
        }
    }

    /// Of a run without strategies.
    fn palette() -> Palette {
        let header = results::Header {
            schema: results::record::SCHEMA,
            tool: String::new(),
            git: String::new(),
            seed: 0,
            profile: String::new(),
            command: Vec::new(),
            started_unix: 0,
        };
        Palette::of(&results::Run {
            header,
            plan: results::Plan::default(),
            host: results::Fingerprint::default(),
            rows: Vec::new(),
            audits: Vec::new(),
            notes: Vec::new(),
        })
    }

    fn cell() -> Cell {
        Cell {
            testbed: Testbed::Host,
            strategy: "anon".into(),
            workload: "mmio/user-read".into(),
            params: Params::new(),
            mode: Params::new(),
        }
    }

    #[test]
    fn every_precision_has_a_row_of_its_kind() {
        let interval = Interval {
            low: 0.5,
            high: 2.0,
        };
        let ratios = [
            ratio(1.25, Precision::Interval(interval)),
            ratio(2.0, Precision::Exact),
            ratio(0.5, Precision::TooFew),
            ratio(3.0, Precision::NotDeterministic),
        ];
        let cell = cell();
        let group = cell.group();
        let forest = forest(&group, &cell, &ratios);
        assert_eq!(
            forest.csv().unwrap(),
            "workload,params,strategy,mode,ratio to memfd,95 % interval low,95 % interval high,\
             precision\n\
             mmio/user-read,,anon,,1.25,0.5,2,interval\n\
             mmio/user-read,,anon,,2,,,exact\n\
             mmio/user-read,,anon,,0.5,,,too few blocks\n\
             mmio/user-read,,anon,,3,,,not deterministic\n"
        );
        let svg = forest.svg(&palette(), None, "x").unwrap();
        // Four dots, of which two are rings with paper below.
        assert_eq!(svg.matches("<circle").count(), 6);
        assert!(!forest.caption().contains("Shown are"));
    }

    #[test]
    fn hostile_ratios_are_drawn_somewhere() {
        let values = [f64::NAN, f64::INFINITY, 0.0, -1.0, 1e300, f64::MIN_POSITIVE];
        let ratios = values.map(|value| ratio(value, Precision::Exact));
        let cell = cell();
        let group = cell.group();
        let forest = forest(&group, &cell, &ratios);
        let svg = forest.svg(&palette(), None, "x");
        assert_eq!(svg.unwrap().matches("<circle").count(), values.len());
    }

    #[test]
    fn what_differs_most_is_kept_in_its_order() {
        let even = Interval {
            low: 0.2,
            high: 30.0,
        };
        let ratios = [
            ratio(1.5, Precision::Exact),
            ratio(1.0, Precision::Exact),
            ratio(0.1, Precision::Exact),
            ratio(9.0, Precision::Interval(even)),
            ratio(3.0, Precision::Exact),
        ];
        let cell = cell();
        let group = cell.group();
        let bands = forest(&group, &cell, &ratios).bands;
        let kept = most_worth_seeing(bands, 3);
        let kept: Vec<&str> = kept.iter().map(|band| band.label.as_str()).collect();
        assert_eq!(kept, ["band 0", "band 2", "band 4"]);
    }
}
