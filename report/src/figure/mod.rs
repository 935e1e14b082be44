// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Figures, as SVG drawn by plotters, each with its data as csv. A table gets
//! percentile curves, an ECDF, a histogram or stacked phases, as its workload's view
//! asks and its samples can carry: too few samples, or samples that are all the same,
//! give no figure rather than a poor one. A workload gets its cost against whatever
//! number was varied, a family its ratios, a chase its curves.
//!
//! All that is curves is a [`plot::Plot`] first.
//!
//! Plotters loops for ever on an infinite axis, so every axis is an [`axis::Axis`],
//! which is finite and not empty by construction and counts its own ticks.

mod axis;
mod canvas;
mod chase;
mod data;
mod draw;
mod ecdf;
mod forest;
mod histogram;
mod made;
mod names;
mod palette;
mod percentile;
mod phases;
mod plot;
mod subject;
mod sweep;

pub(crate) use made::{block, of_bed, of_chase, of_family, of_table, of_workload};
pub use made::{cost, figures};
pub(crate) use palette::Palette;
