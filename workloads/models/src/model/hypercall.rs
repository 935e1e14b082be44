// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Hypercalls that KVM answers itself. It refuses them to a guest at CPL3, where the payload
//! runs, before it looks at their number: an exit with next to nothing in it.

use crate::{
    BadParameter, CellError, GuestRequests, Model, Needs, Parameters, Size, evidence::Evidence,
    request::Requests,
};
use abi::{Args, Digest, Op};
use results::{counter::kvm, record::Counters};

pub(super) const MODELS: &[Model] = &[Model::new("vmcall", |p| Ok(Box::new(Calls::new(p)?)))];

/// What KVM answers at CPL3: -KVM_EPERM (include/uapi/linux/kvm_para.h of the kernel).
const REFUSED: u64 = -1_i64 as u64;

#[derive(Debug)]
struct Calls {
    size: Size,
    /// Hypercalls, one sample each.
    count: u64,
}

impl Calls {
    fn new(params: &Parameters<'_>) -> Result<Self, BadParameter> {
        Ok(Calls {
            size: params.size()?,
            count: params.count()?,
        })
    }
}

impl GuestRequests for Calls {
    type Fixture = ();

    fn needs(&self) -> Needs {
        Needs::of(self.size).on_x86_64()
    }

    fn requests(&self) -> Requests {
        let args = Args {
            count: self.count,
            width: by_vmmcall().into(),
            ..Args::default()
        };
        Requests::new(Op::Vmcall, args)
    }

    fn verify(&self, evidence: &Evidence<'_>, (): &()) -> Result<Counters, CellError> {
        let due = evidence.count();
        match evidence.grew(kvm::HYPERCALLS) {
            calls if calls == due => {}
            0 => {
                return Err(CellError::missing(
                    format!("this KVM did not see the guest's hypercalls: none of {due}"),
                    "a KVM with hardware virtualisation, or --on lab",
                ));
            }
            calls => {
                return Err(format!("KVM counted {calls} hypercalls where {due} were due").into());
            }
        }
        evidence.each_vcpu(|vcpu| {
            let mut digest = Digest::new();
            (0..vcpu.request.args.count).for_each(|_| digest.push(REFUSED));
            match vcpu.reply.digest == digest.get() {
                true => Ok(()),
                false => Err("KVM did not refuse a hypercall at CPL3".into()),
            }
        })?;
        Ok(Counters::new())
    }
}

/// Whether the processor's instruction is AMD's VMMCALL and not Intel's VMCALL (AMD APM vol.
/// 3, VMMCALL). KVM would replace the wrong one in the guest's memory.
fn by_vmmcall() -> bool {
    let amd = |vendor: &str| ["AuthenticAMD", "HygonGenuine"].contains(&vendor);
    observe::cpu::processor().is_some_and(|processor| amd(&processor.vendor))
}
