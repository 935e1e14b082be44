// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Examines who can read guest memory: a secret is hidden in it, and every reader looks for
//! it.

use abi::{Args, Op, Request, layout, value};
use models::{
    CellError, PAYLOAD,
    guard::{self, ANSWER_LIMIT},
};
use observe::audit;
use results::audit::Finding;
use strategies::Arm;
use vm_memory::{Bytes, GuestAddress};
use vmm::{Config, Cpl, Device, Machine};

/// How long the secret is.
const SECRET_BYTES: u64 = 64;

/// Lets the guest touch its arena, puts a random secret into a page of it, and
/// reports what each reader finds.
pub(crate) fn run(arm: &Arm) -> Result<Vec<Finding>, CellError> {
    let kvm = vmm::open_kvm()?;
    let config = Config {
        vcpus: 1,
        memory: layout::MEMORY_MIN,
        cpl: Cpl::User,
        irqchip: false,
        shared_memory: false,
        limit: ANSWER_LIMIT,
    };
    let (mut machine, _) = Machine::build(&kvm, &config, PAYLOAD, |vm, len| arm.allocate(vm, len))
        .map_err(|e| CellError::building(arm, e))?;
    machine.start()?;
    guard::native(&mut machine)?;
    let args = Args {
        count: 8,
        batch: 8,
        address: layout::ARENA,
        stride: layout::PAGE,
        seed: 1,
        ..Args::default()
    };
    // First the guest, so that the page is there by KVM's doing.
    machine.call(
        Request {
            op: Op::Touch,
            args,
        },
        &mut Device::new(0),
    )?;

    let secret = secret();
    let page = layout::ARENA + 3 * layout::PAGE;
    machine
        .memory()
        .write_slice(&secret, GuestAddress(page))
        .map_err(|e| format!("writing the secret: {e}"))?;
    // And KVM once more, so that a page that an access brought back would show.
    machine.call(
        Request {
            op: Op::Touch,
            args: Args { count: 1, ..args },
        },
        &mut Device::new(0),
    )?;
    let address = machine.ram().host_address().wrapping_add(page as usize);
    Ok(audit::examine(address, &secret))
}

/// Bytes that nothing else in memory holds. Not cryptography: it must differ
/// from what lies about, not withstand anybody.
fn secret() -> [u8; SECRET_BYTES as usize] {
    let seed = vmm::clock::ticks() ^ u64::from(std::process::id()) << 32;
    let mut bytes = [0; SECRET_BYTES as usize];
    for (i, chunk) in bytes.chunks_exact_mut(8).enumerate() {
        chunk.copy_from_slice(&value(seed, i as u64).to_le_bytes());
    }
    bytes
}
