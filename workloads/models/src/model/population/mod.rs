// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Guest memory that the host populates or gives back, page by page or in batches.

mod populate;
mod punch;
mod range;

use crate::Model;

pub(super) const MODELS: &[Model] = &[
    Model::new("populate", |p| Ok(Box::new(populate::Population::new(p)?))),
    Model::new("punch", |p| Ok(Box::new(punch::Punch::new(p)?))),
];
