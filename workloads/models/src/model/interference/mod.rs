// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a VM does to work outside it: to the host's kernel before and after it, and to a
//! process on another CPU beside it.

mod before_after;
mod co_runner;
mod host_work;
mod rounds;

use crate::Model;

pub use rounds::rounds;

pub(super) const MODELS: &[Model] = &[
    Model::new("before-after", |p| {
        Ok(Box::new(before_after::BeforeAfter::new(p)?))
    }),
    Model::new("co-runner", |p| Ok(Box::new(co_runner::CoRunner::new(p)?))),
];
