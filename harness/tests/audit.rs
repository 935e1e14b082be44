// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The readers of the audit on guest memory of every strategy that runs here.

use observe::audit::examine;
use results::audit::Verdict;

/// What is looked for.
const SECRET: [u8; 64] = [0xa5; 64];

/// Guest memory of every strategy that this kernel makes, before a guest runs.
/// What does not claim isolation is readable or unknown to every reader; what
/// does is not readable to any.
#[test]
fn guest_memory_is_as_hidden_as_its_strategy_claims() {
    let kvm = match vmm::open_kvm() {
        Ok(kvm) => kvm,
        Err(e) if std::env::var_os("UNMAPBENCH_REQUIRE_KVM").is_some() => panic!("{e}"),
        Err(e) => return eprintln!("skipped: {e}"),
    };
    let config = vmm::Config {
        vcpus: 1,
        memory: abi::layout::MEMORY_BARE.next_multiple_of(2 << 20),
        cpl: vmm::Cpl::User,
        irqchip: false,
        shared_memory: false,
        limit: std::time::Duration::from_secs(1),
    };
    for strategy in strategies::registry::ALL {
        let arm = strategies::Arm::of(strategy);
        let allocate = |vm: &vmm::VmFd, len| arm.allocate(vm, len);
        let machine = match vmm::Machine::build(&kvm, &config, models::PAYLOAD, allocate) {
            Ok((machine, _)) => machine,
            Err(e) => {
                assert_ne!(strategy.name, results::BASELINE, "{e}");
                eprintln!("skipped: {}: {e}", strategy.name);
                continue;
            }
        };
        let last = config.memory - abi::layout::PAGE;
        let gpa = vm_memory::GuestAddress(last);
        vm_memory::Bytes::write_slice(machine.memory(), &SECRET, gpa).unwrap();
        let address = machine.ram().host_address().wrapping_add(last as usize);
        for finding in examine(address, &SECRET) {
            eprintln!("{}: {finding:?}", strategy.name);
            let wrong = match arm.claims().claim.isolates() {
                true => Verdict::Readable,
                false => Verdict::Hidden,
            };
            assert_ne!(finding.verdict, wrong, "{}: {finding:?}", strategy.name);
        }
    }
}
