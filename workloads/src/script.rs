// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What is to be done for one cell, in terms that need no KVM to be written
//! down or tested.

use abi::{Args, Digest, Op, Request, layout};

/// What one cell does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Script {
    /// Build a machine and bring the payload up; the steps are the samples.
    Boot,
    /// Let the guest touch its memory, then drop everything; the steps are the
    /// samples.
    Teardown {
        /// What vCPU 0 is asked first.
        touch: Request,
    },
    /// Ask every vCPU for something; its samples are the samples.
    Call(Call),
}

/// A request to every vCPU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Asked first, checked like the real one, its samples thrown away.
    pub rehearsal: Request,
    /// What is measured.
    pub measured: Request,
    /// What shows that it took the path it is named for.
    pub proof: Proof,
    /// The name of the series.
    pub series: &'static str,
    /// The name of a further series with one sample: the reply's `out[0]`, the
    /// ticks for everything together.
    pub total: Option<&'static str>,
    /// How far apart the vCPUs' addresses lie.
    pub per_vcpu_bytes: u64,
}

/// What must be true after a request was carried out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// KVM statistics of which the first that grew at all must have grown by one
    /// per operation exactly. More than one, because not every flavour of KVM
    /// keeps each. Empty where no statistic tells.
    pub counters: &'static [&'static str],
    /// What was accessed, and so which evidence there is.
    pub access: Access,
}

/// What a request accesses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// Nothing but registers.
    #[default]
    Nothing,
    /// The test device, by reads: the digest is that of what it handed out.
    Read,
    /// The test device, by writes: the digest is that of what arrived.
    Write,
    /// The time-stamp counter: `out[0]` steps backwards, which must be none.
    Tsc,
    /// kvm-clock: it moved forwards only, lies within the host's readings of
    /// the same clock, and has a version that KVM wrote.
    Pvclock,
    /// kvm-clock, rewritten at every read of the data port: as [`Access::Read`] and
    /// [`Access::Pvclock`], and the version field moved on every time.
    ClockUpdate,
    /// Pages: KVM's page tables grew by as many, and the host finds in each
    /// what the guest wrote.
    Pages,
}

/// How many operations are run, checked and thrown away before a measurement.
const REHEARSAL: u64 = 64;

impl Call {
    /// A request on every vCPU, rehearsed in small, its samples named `latency`.
    pub(crate) fn new(op: Op, args: Args, access: Access) -> Self {
        let rehearsal = Args {
            count: args.count.min(REHEARSAL),
            seed: args.seed ^ 1,
            ..args
        };
        Call {
            rehearsal: Request {
                op,
                args: rehearsal,
            },
            measured: Request { op, args },
            proof: Proof {
                counters: &[],
                access,
            },
            series: "latency",
            total: None,
            per_vcpu_bytes: 0,
        }
    }

    /// The same, proved by KVM statistics as well, see [`Proof::counters`].
    pub(crate) fn counted_by(mut self, counters: &'static [&'static str]) -> Self {
        self.proof.counters = counters;
        self
    }

    /// What vCPU `index` is asked when `request` is carried out: its own
    /// sequence and its own addresses.
    pub fn for_vcpu(&self, request: Request, index: u64) -> Request {
        let mut own = request;
        own.args.seed = own.args.seed.wrapping_add(index << 32);
        own.args.address += index * self.per_vcpu_bytes;
        own
    }

    /// How many operations one sample of the series covers.
    pub fn operations_per_sample(&self) -> u64 {
        match self.proof.access {
            Access::Tsc | Access::Pvclock => self.measured.args.batch,
            Access::Nothing => self.measured.args.count,
            Access::Read | Access::Write | Access::ClockUpdate | Access::Pages => 1,
        }
    }

    /// The digest that the reply to `request` must have, where data crossed.
    pub fn digest(&self, request: Request) -> Option<u64> {
        match self.proof.access {
            Access::Read | Access::Write | Access::ClockUpdate => {
                Some(Digest::of_values_u32(request.args.seed, request.args.count))
            }
            _ => None,
        }
    }

    /// Where the guest's writes must be found afterwards: guest-physical
    /// address and value, page by page.
    pub fn pages(&self, request: Request) -> impl Iterator<Item = (u64, u64)> {
        let args = request.args;
        let count = match self.proof.access {
            Access::Pages => args.count,
            _ => 0,
        };
        (0..count).map(move |i| (args.address + i * args.stride, abi::value(args.seed, i)))
    }
}

// The sample buffer of a touch, see `model::touch`, is never too small.
const _: () = assert!(layout::SAMPLES_MAX / 8 >= 4096);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Profile;
    use results::cell::ParamValue;

    /// Whatever a definition asks for fits the guest's memory and the sample
    /// buffer, for every number of vCPUs.
    #[test]
    fn every_script_stays_within_the_layout() {
        for w in crate::all().unwrap() {
            for mut params in w.cells(Profile::List) {
                let mib = match params["mem_mib"] {
                    ParamValue::Int(n) => n,
                    _ => unreachable!("checked by the definitions"),
                };
                for cpus in 1..=layout::MAX_VCPUS {
                    params.insert("cpus".into(), ParamValue::Int(cpus));
                    let Script::Call(call) = w.model.script(&w.id, &params).unwrap() else {
                        continue;
                    };
                    for (address, _) in (0..cpus)
                        .flat_map(|i| [call.rehearsal, call.measured].map(|r| call.for_vcpu(r, i)))
                        .flat_map(|r| call.pages(r).collect::<Vec<_>>())
                    {
                        assert!(address >= layout::ARENA && address + layout::PAGE <= mib << 20);
                    }
                }
            }
        }
    }

    #[test]
    fn vcpus_touch_disjoint_pages_and_rehearse_others() {
        let w = &crate::select(crate::all().unwrap(), &["fault/guest-touch".into()]).unwrap()[0];
        let mut params = w.cells(Profile::Quick)[0].clone();
        params.insert("cpus".into(), ParamValue::Int(3));
        let Script::Call(call) = w.model.script(&w.id, &params).unwrap() else {
            panic!("a touch is a call")
        };
        let mut seen = std::collections::BTreeSet::new();
        for request in [call.rehearsal, call.measured] {
            for i in 0..3 {
                for (address, _) in call.pages(call.for_vcpu(request, i)) {
                    assert!(seen.insert(address), "{address:#x} twice");
                }
            }
        }
    }
}
