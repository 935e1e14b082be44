// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A loop of known length, to tell native from emulated execution.

use crate::{BadParameter, GuestRequests, Model, Needs, Parameters, Size, request::Requests};
use abi::{Args, Op, Request};

pub(super) const MODELS: &[Model] = &[Model::new("spin", |p| Ok(Box::new(Spin::new(p)?)))];

#[derive(Debug)]
struct Spin {
    size: Size,
    /// Iterations, one sample for all.
    count: u64,
}

impl Spin {
    fn new(params: &Parameters<'_>) -> Result<Self, BadParameter> {
        Ok(Spin {
            size: params.size()?,
            count: params.number("count", 1000..=1 << 40)?,
        })
    }
}

impl GuestRequests for Spin {
    type Fixture = ();

    fn needs(&self) -> Needs {
        Needs::of(self.size)
    }

    fn requests(&self) -> Requests {
        let args = Args {
            count: self.count,
            ..Args::default()
        };
        Requests::new(Op::Spin, args)
    }

    fn operations_per_sample(&self) -> u64 {
        self.count
    }

    /// All are one sample.
    fn operations(&self, request: &Request) -> u64 {
        request.args.count
    }
}
