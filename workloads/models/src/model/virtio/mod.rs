// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Requests to a virtio-blk device, and frames to a virtio-net device and back.

mod block;
pub(super) mod disk;
mod driver;
mod net;
mod served;

use crate::Model;

pub(super) const MODELS: &[Model] = &[
    Model::new("block", |p| Ok(Box::new(block::Requesting::new(p)?))),
    Model::new("net", |p| Ok(Box::new(net::Sending::new(p)?))),
];
