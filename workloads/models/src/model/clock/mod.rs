// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Clocks: read ones, and structures that KVM rewrites.

mod pvclock;
mod read;
mod update;

use crate::Model;

pub(super) const MODELS: &[Model] = &[
    Model::new("tsc", |p| Ok(Box::new(read::Tsc::new(p)?))),
    Model::new("pvclock", |p| Ok(Box::new(read::Pvclock::new(p)?))),
    Model::new("timer", |p| Ok(Box::new(read::Timer::new(p)?))),
    Model::new("pvclock-update", |p| {
        Ok(Box::new(update::PvclockUpdate::new(p)?))
    }),
    Model::new("wall-clock", |p| {
        Ok(Box::new(update::Rewrite::wall_clock(p)?))
    }),
    Model::new("steal-time", |p| {
        Ok(Box::new(update::Rewrite::steal_time(p)?))
    }),
];
