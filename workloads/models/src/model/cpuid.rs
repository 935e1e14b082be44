// SPDX-License-Identifier: Apache-2.0 OR MIT
//! CPUID instructions, which KVM answers itself: the least that an exit can do.

use crate::{
    BadParameter, CellError, GuestRequests, Model, Needs, Parameters, Size, evidence::Evidence,
    request::Requests,
};
use abi::{Args, Digest, Op};
use results::{counter::kvm, record::Counters};

pub(super) const MODELS: &[Model] = &[Model::new("cpuid", |p| Ok(Box::new(Cpuid::new(p)?)))];

/// "KVMKVMKVM" in EBX, ECX and EDX of leaf 0x4000_0000: how KVM signs
/// (Documentation/virt/kvm/x86/cpuid.rst of the kernel).
const SIGNATURE: [u32; 3] = [0x4b4d_564b, 0x564b_4d56, 0x4d];

#[derive(Debug)]
struct Cpuid {
    size: Size,
    /// Instructions, one sample each.
    count: u64,
}

impl Cpuid {
    fn new(params: &Parameters<'_>) -> Result<Self, BadParameter> {
        Ok(Cpuid {
            size: params.size()?,
            count: params.count()?,
        })
    }
}

impl GuestRequests for Cpuid {
    type Fixture = ();

    fn needs(&self) -> Needs {
        Needs::of(self.size).on_x86_64()
    }

    fn requests(&self) -> Requests {
        let args = Args {
            count: self.count,
            ..Args::default()
        };
        Requests::new(Op::Cpuid, args)
    }

    /// KVM has no statistic of CPUID alone. Other exits, such as the host's timer, come on
    /// top, so that there are at least as many as instructions.
    fn verify(&self, evidence: &Evidence<'_>, (): &()) -> Result<Counters, CellError> {
        let (exits, due) = (evidence.grew(kvm::EXITS), evidence.count());
        if exits < due {
            return Err(CellError::missing(
                format!(
                    "this KVM did not see the guest's CPUID instructions: {exits} exits for {due}"
                ),
                "a KVM with hardware virtualisation, or --on lab",
            ));
        }
        evidence.each_vcpu(|vcpu| {
            let mut digest = Digest::new();
            let signatures = (0..vcpu.request.args.count).flat_map(|_| SIGNATURE);
            signatures.for_each(|word| digest.push(word.into()));
            match vcpu.reply.digest == digest.get() {
                true => Ok(()),
                false => Err("CPUID did not give the signature of KVM".into()),
            }
        })?;
        Ok(Counters::new())
    }
}
