// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The name of every counter of a record, once.
//!
//! A key such as `kvm.exits` begins with its origin, which has a module here. What an
//! origin lists by itself, such as KVM's statistics, has a name only where this program
//! looks at it. A counter is how much something grew by over the measured window, unless
//! its line says otherwise. One that is absent was not counted, which is not 0.

use crate::record::Counters;

/// A counter that this program looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counter {
    /// Its key in a record: `kvm.exits`.
    pub key: &'static str,
    /// Its name at its origin: `exits`.
    pub name: &'static str,
}

impl Counter {
    /// Its value in `counters`, if it was counted.
    pub fn of(self, counters: &Counters) -> Option<u64> {
        counters.get(self.key).copied()
    }

    /// Sets it to `n` in `counters`.
    pub fn put(self, counters: &mut Counters, n: u64) {
        counters.insert(self.key.to_string(), n);
    }
}

/// Where counters come from. Their keys begin with the same word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Its word, by which a row says that all of it is unavailable: `kvm`.
    pub word: &'static str,
    /// How each key begins, up to and including the dot: `kvm.`.
    pub prefix: &'static str,
}

impl Origin {
    /// The key of what the origin calls `name`.
    pub fn key(self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// What the origin calls the counter of this `key`; `None` if it is another's.
    pub fn name(self, key: &str) -> Option<&str> {
        key.strip_prefix(self.prefix)
    }
}

macro_rules! origin {
    ($(#[$doc:meta])* $module:ident, $word:literal, { $($(#[$about:meta])* $NAME:ident = $name:literal,)* }) => {
        $(#[$doc])*
        pub mod $module {
            /// How their keys begin.
            pub const ORIGIN: super::Origin = super::Origin {
                word: $word,
                prefix: concat!($word, "."),
            };
            $(
                $(#[$about])*
                pub const $NAME: super::Counter = super::Counter {
                    key: concat!($word, ".", $name),
                    name: $name,
                };
            )*
        }
    };
}

/// How many operations the other counters of the row cover. By the harness.
pub const OPERATIONS: Counter = Counter {
    key: "operations",
    name: "operations",
};

/// Minor faults of the process, from /proc/self/stat.
pub const MINOR_FAULTS: Counter = Counter {
    key: "minor_faults",
    name: "minor_faults",
};

origin!(
    /// KVM's binary statistics, of the VM and its vCPUs together (KVM_GET_STATS_FD). Times
    /// that something happened, or nanoseconds where the name ends in `_ns`. Those of the
    /// direct map and of accesses to guest memory need our kernel.
    kvm, "kvm", {
        /// Exits from the guest.
        EXITS = "exits",
        /// MMIO accesses that went to the VMM.
        MMIO_EXITS = "mmio_exits",
        /// Port accesses, as VMX and SVM count them.
        IO_EXITS = "io_exits",
        /// Hypercalls that reached KVM.
        HYPERCALLS = "hypercalls",
        /// Instructions that KVM emulated.
        INSN_EMULATION = "insn_emulation",
        /// Reads of guest memory by KVM itself.
        GUEST_MEM_READS = "guest_mem_reads",
        /// Writes to guest memory by KVM itself.
        GUEST_MEM_WRITES = "guest_mem_writes",
        /// Pages that left the direct map at their first touch.
        DIRECT_MAP_ZAPS = "direct_map_zaps",
        /// Pages that came back to the direct map when they were freed.
        DIRECT_MAP_RESTORES = "direct_map_restores",
        /// Pages that were put back into the direct map for an access.
        DIRECT_MAP_REINSERTS = "direct_map_reinserts",
        /// VM entries before which pages that were held left the direct map again.
        DIRECT_MAP_HELD_WINDOWS = "direct_map_held_windows",
        /// TLB flushes after a page left the direct map.
        DIRECT_MAP_FLUSHES = "direct_map_flushes",
        /// Pages of 4 KiB in KVM's page tables. In records among [`mapped`](super::mapped).
        PAGES_4K = "pages_4k",
        /// Pages of 2 MiB, the same.
        PAGES_2M = "pages_2m",
        /// Pages of 1 GiB, the same.
        PAGES_1G = "pages_1g",
    }
);

/// How the names of what the direct map counts begin, in KVM's statistics and in
/// /proc/vmstat.
pub const DIRECT_MAP: &str = "direct_map_";

/// How the keys of those of KVM begin.
pub const KVM_DIRECT_MAP: &str = "kvm.direct_map_";

/// How the names of KVM's statistics begin that say what its page tables hold.
pub const PAGES: &str = "pages_";

origin!(
    /// What KVM's page tables hold at the end of the window, in pages, by page size:
    /// its statistics `pages_*`.
    mapped, "mapped", {
        /// Pages of 4 KiB.
        PAGES_4K = "pages_4k",
        /// Pages of 2 MiB.
        PAGES_2M = "pages_2m",
    }
);

origin!(
    /// The VMM.
    vmm, "vmm", {
        /// Exits that it answered.
        EXITS = "exits",
        /// Calls of KVM_RUN that it repeated during a boot.
        RETRIES = "retries",
        /// Boots of the guest until one came through.
        BOOTS = "boots",
    }
);

origin!(
    /// Guest memory as the host sees it at the end of the window, in bytes.
    ram, "ram", {
        /// In huge pages.
        HUGE_BYTES = "huge_bytes",
        /// Mapped by the VMM.
        RESIDENT_BYTES = "resident_bytes",
    }
);

origin!(
    /// Virtio devices of the VMM.
    virtio, "virtio", {
        /// Requests that were served.
        REQUESTS = "requests",
        /// Notifications by the guest that the VMM saw.
        NOTIFIED = "notified",
        /// Interrupts that were raised.
        INTERRUPTS = "interrupts",
        /// Bytes that the requests asked to move.
        MOVED = "moved",
        /// Bytes that the VMM copied to move them.
        COPIED = "copied",
        /// Bytes that the guest copied to move them.
        GUEST_COPIED = "guest_copied",
    }
);

origin!(
    /// Loading of a guest's kernel.
    load, "load", {
        /// Bytes that were loaded.
        BYTES = "bytes",
    }
);

origin!(
    /// Interrupts from one CPU of the machine to another, from /proc/interrupts. Those of
    /// the whole machine, whatever caused them.
    ipi, "ipi", {
        /// Requests to schedule.
        RESCHEDULE = "reschedule",
        /// Requests to call a function, TLB flushes among them.
        CALL = "call",
        /// TLB flushes of user mappings, where the kernel counts them apart.
        TLB = "tlb",
    }
);

origin!(
    /// TLB flushes of the whole machine, from /proc/vmstat: `nr_tlb_*` of a kernel with
    /// CONFIG_DEBUG_TLBFLUSH.
    tlb, "tlb", {}
);

origin!(
    /// The host, over the whole life of the cell's VM: `DirectMap*_kib.before` and
    /// `.after` in KiB from /proc/meminfo, `direct_map_*` from /proc/vmstat, and for a
    /// boot the interrupts and faults that other cells have under their own origins.
    host, "host", {}
);

origin!(
    /// Hardware counters of the processor's PMU, of the vCPU threads, by side and event:
    /// `pmu.guest.dtlb_load_walks`.
    pmu, "pmu", {}
);

origin!(
    /// The TLB model in the lab's emulator, by who accessed memory and what was counted:
    /// `model.kernel.l1_misses`.
    model, "model", {
        /// Misses of the first level by accesses of a guest.
        GUEST_L1_MISSES = "guest.l1_misses",
        /// Misses of the second level by accesses of a guest.
        GUEST_L2_MISSES = "guest.l2_misses",
    }
);

/// How the keys of what the PMU counted of guests begin.
pub const PMU_GUEST: &str = "pmu.guest.";

/// How the keys of what the TLB model counted of guests begin.
pub const MODEL_GUEST: &str = "model.guest.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_the_record() {
        assert_eq!(kvm::EXITS.key, "kvm.exits");
        assert_eq!(kvm::ORIGIN.key("pf_taken"), "kvm.pf_taken");
        assert_eq!(kvm::ORIGIN.name("kvm.pf_taken"), Some("pf_taken"));
        assert_eq!(kvm::ORIGIN.name("vmm.exits"), None);
        assert_eq!(model::ORIGIN.word, "model");
        let mut counters = Counters::new();
        vmm::EXITS.put(&mut counters, 7);
        assert_eq!(
            (vmm::EXITS.of(&counters), kvm::EXITS.of(&counters)),
            (Some(7), None)
        );
        assert_eq!(counters["vmm.exits"], 7);
    }
}
