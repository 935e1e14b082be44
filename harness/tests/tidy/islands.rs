// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What is allowed in a few files only.

use crate::sources::{Source, rust};
use std::collections::BTreeSet;

#[test]
fn unsafe_code_stays_on_its_islands() {
    let islands: BTreeSet<&str> = [
        // guest memory
        "strategies/src/guest_memfd.rs",
        "strategies/src/mapping.rs",
        "strategies/src/memfd.rs",
        "strategies/src/memfd_secret.rs",
        // the VMM
        "harness/vmm/src/arch/x86_64/clock.rs",
        "harness/vmm/src/arch/x86_64/linux/vcpu.rs",
        "harness/vmm/src/arch/x86_64/marker.rs",
        "harness/vmm/src/arch/x86_64/run.rs",
        "harness/vmm/src/deadline.rs",
        "harness/vmm/src/exit.rs",
        "harness/vmm/src/memory.rs",
        "harness/vmm/src/prefault.rs",
        "harness/vmm/src/stats.rs",
        "harness/vmm/src/userfault.rs",
        "harness/vmm/src/virtio/packet.rs",
        "harness/vmm/src/virtio/raw.rs",
        "harness/vmm/src/virtio/uring.rs",
        // readers of memory
        "harness/observe/src/raw.rs",
        // the emulator's plugin
        "harness/tlb-model/src/plugin/mod.rs",
        // the payload
        "workloads/guest/src/arch/x86_64/asm.rs",
        "workloads/guest/src/arch/x86_64/interrupt.rs",
        "workloads/guest/src/arch/x86_64/entry.rs",
        "workloads/guest/src/arch/x86_64/runtime.rs",
        "workloads/guest/src/main.rs",
        "workloads/guest/src/memory.rs",
        "workloads/guest/src/ops.rs",
        // each of its operations
        "workloads/guest/src/ops",
        // the first process of a Linux guest
        "workloads/init/src/arch/x86_64/entry.rs",
        "workloads/init/src/arch/x86_64/mod.rs",
        "workloads/init/src/main.rs",
        // the bare side of a benchmark
        "harness/benches/exit_overhead.rs",
    ]
    .into();
    let attribute = ["expect(", "unsafe_code)"].concat();
    let mut found = BTreeSet::new();
    for Source { name, text, .. } in rust() {
        if text.contains(&attribute) {
            assert!(
                text.contains("// UNSAFETY: "),
                "{name} does not say why it must"
            );
            // A new operation is a file and needs no line here.
            let operation = name.starts_with("workloads/guest/src/") && name.contains("/ops/");
            found.insert(if operation {
                "workloads/guest/src/ops"
            } else {
                name
            });
        }
    }
    assert_eq!(found, islands);
}

#[test]
fn only_observe_reads_proc_and_sys() {
    for Source { name, code, .. } in rust() {
        if name.starts_with("harness/observe/") {
            continue;
        }
        let reads = |line: &&str| {
            !line.trim_start().starts_with("//")
                && ["\"/proc/", "\"/sys/"]
                    .iter()
                    .any(|path| line.contains(path))
        };
        assert_eq!(code.lines().find(reads), None, "{name}");
    }
}

#[test]
fn no_strategy_is_named_outside_its_crate() {
    let names: Vec<_> = strategies::registry::ALL
        .iter()
        .map(|s| format!("\"{}\"", s.name))
        .collect();
    for Source { name, code, .. } in rust() {
        let baseline = name == "results/src/lib.rs";
        if name.starts_with("strategies/") || baseline {
            continue;
        }
        for strategy in &names {
            assert!(!code.contains(strategy), "{name} names {strategy}");
        }
    }
}

/// A further architecture is folders beside these, not a search for what was spelled out
/// elsewhere.
#[test]
fn assembly_stays_in_the_folders_of_architectures() {
    let mut folders = BTreeSet::new();
    for Source { name, code, .. } in rust() {
        if !["asm!(", "core::arch::", "std::arch::"]
            .iter()
            .any(|word| code.contains(word))
        {
            continue;
        }
        let (folder, _) = name
            .split_once("/arch/")
            .unwrap_or_else(|| panic!("{name}"));
        folders.insert(folder.to_string());
    }
    let expected = [
        "harness/vmm/src",
        "workloads/guest/src",
        "workloads/init/src",
    ];
    assert_eq!(folders, expected.map(String::from).into());
}
