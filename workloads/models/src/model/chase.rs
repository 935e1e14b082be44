// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A pointer chase over memory that was touched before.

use crate::{
    BadParameter, CellError, GuestRequests, Model, Needs, Parameters, Size, evidence::Evidence,
    request::Requests,
};
use abi::{Args, Op, chase, layout};
use results::record::Counters;

pub(super) const MODELS: &[Model] = &[Model::new("chase", |p| Ok(Box::new(Chase::new(p)?)))];

/// The seed of the order of places.
const ORDER: u64 = 0xc4a5e;

/// `count` samples of `batch` loads through `places` places, `stride` bytes apart.
#[derive(Debug)]
struct Chase {
    size: Size,
    count: u64,
    batch: u64,
    places: u64,
    stride: u64,
}

impl Chase {
    fn new(params: &Parameters<'_>) -> Result<Self, BadParameter> {
        let size = params.size()?;
        let most = (size.memory - layout::ARENA) / layout::PAGE;
        Ok(Chase {
            size,
            count: params.count()?,
            // The loop is unrolled by eight.
            batch: params.number("batch", 8..=1 << 24)? / 8 * 8,
            places: params.number("places", 2..=most)?,
            stride: params.word("spacing", &[("page", layout::PAGE), ("line", 64)])?,
        })
    }
}

impl GuestRequests for Chase {
    type Fixture = ();

    const IN_TIME_ALONE: bool = true;

    fn needs(&self) -> Needs {
        Needs::of(self.size)
    }

    fn requests(&self) -> Requests {
        let args = Args {
            count: self.count,
            batch: self.batch,
            address: layout::ARENA,
            stride: self.stride,
            width: self.places,
            shuffle: ORDER,
            ..Args::default()
        };
        let mut requests = Requests::new(Op::Chase, args);
        // Touches all that is measured.
        requests.rehearsal.args.count = 1;
        requests
    }

    fn operations_per_sample(&self) -> u64 {
        self.batch
    }

    /// A round passes every place, and the last step leads where it must.
    fn verify(&self, evidence: &Evidence<'_>, (): &()) -> Result<Counters, CellError> {
        evidence.each_vcpu(|vcpu| {
            let args = vcpu.request.args;
            let end = chase::after(&args, args.count * args.batch);
            match vcpu.reply.out {
                [passed, at, ..] if (passed, at) == (args.width, end) => Ok(()),
                [passed, at, ..] => Err(format!(
                    "a chase passed {passed} of {} places and ended at {at:#x}, not at {end:#x}",
                    args.width
                )),
            }
        })?;
        Ok(Counters::new())
    }
}
