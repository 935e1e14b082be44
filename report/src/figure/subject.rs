// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What figures of one table have in common.

use super::{
    axis::Axis,
    plot::{Curve, Dimension, Form, Plot},
};
use crate::{document::Worth, number::Scale};
use results::{
    Cell,
    compare::{Table, pooled},
    stats::Sorted,
};

/// What a drawing needs to know of its table.
pub(super) struct Subject<'t, 'a> {
    pub(super) table: &'t Table<'a>,
    pub(super) scale: Scale,
}

impl Subject<'_, '_> {
    /// The dimension of the table's samples, laid out along `axis`.
    pub(super) fn latency(&self, axis: Axis) -> Dimension {
        let unit = self.table.unit.map_or("", |unit| unit.symbol());
        Dimension::new(self.table.detail, unit, axis).scaled(self.scale)
    }

    /// A figure of all arms.
    pub(super) fn plot<'c>(
        &self,
        kind: &str,
        caption: &str,
        x: Dimension,
        y: Dimension,
        (form, worth): (Form, Worth),
        curves: Vec<Curve<'c>>,
    ) -> Plot<'c> {
        Plot {
            kind: kind.into(),
            subject: self.table.group.to_string(),
            arms: None,
            caption: caption.into(),
            x,
            y,
            form,
            worth,
            curves,
        }
    }
}

/// An arm and its samples.
pub(super) type Pooled<'a> = (&'a Cell, Sorted);

/// The pooled samples of every arm that has figures; of none if in each arm all are the
/// same, as exact counts often are.
pub(super) fn samples<'a>(table: &Table<'a>) -> Vec<Pooled<'a>> {
    let arms = table.arms.iter().filter(|arm| arm.figures.is_ok());
    let arms: Vec<Pooled<'a>> = arms
        .map(|arm| (arm.cell, pooled(&arm.rows, table.detail)))
        .collect();
    match arms.iter().any(|(_, s)| s.quantile(0.0) != s.quantile(1.0)) {
        true => arms,
        false => Vec::new(),
    }
}

/// Both forms of a figure.
pub(super) struct Drawn {
    pub(super) svg: String,
    pub(super) csv: String,
}
