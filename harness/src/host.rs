// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The machine, as far as it bears on the numbers. The only module that reads
//! /proc and /sys. What cannot be read is absent, never empty or zero.

use flate2::read::GzDecoder;
use results::{Fingerprint, unit::Bytes};
use std::{collections::BTreeMap, fs, io::Read, path::Path};

/// Everything about this machine that a reader of a report may ask for.
pub fn fingerprint() -> Fingerprint {
    let mut f = Fingerprint::default();
    f.push("machine", machine());
    f.push("cpu.model", cpuinfo("model name"));
    f.push("cpu.family/model/stepping", family());
    f.push("cpu.microcode", cpuinfo("microcode"));
    f.push("cpu.online", line("/sys/devices/system/cpu/online"));
    f.push("cpu.invlpgb", Some(yes_no(has_flag("invlpgb")).into()));
    f.push(
        "cpu.governor",
        line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
    );
    f.push("cpu.smt", line("/sys/devices/system/cpu/smt/control"));
    f.push(
        "clocksource",
        line("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
    );
    f.push("kernel", line("/proc/sys/kernel/osrelease"));
    f.push("kernel.version", line("/proc/sys/kernel/version"));
    let config = config();
    f.push("kernel.config", config.as_deref().map(config_digest));
    f.push(
        "kernel.hz",
        config.as_deref().and_then(|c| setting(c, "CONFIG_HZ")),
    );
    f.push("kernel.cmdline", line("/proc/cmdline").map(|c| cmdline(&c)));
    f.push("mitigations", mitigations());
    f.push("kvm.flavour", kvm_flavour());
    f.push("virtualised", Some(yes_no(has_flag("hypervisor")).into()));
    f.push("pmu", Some(pmu().into()));
    f.push("pmu.events", has_pmu().then(crate::pmu::events));
    let paranoid = perf_event_paranoid().map(|level| level.to_string());
    f.push("perf_event_paranoid", paranoid);
    f.push("memory.total", meminfo("MemTotal").map(mib));
    f.push(
        "thp.enabled",
        line("/sys/kernel/mm/transparent_hugepage/enabled"),
    );
    f.push(
        "thp.shmem",
        line("/sys/kernel/mm/transparent_hugepage/shmem_enabled"),
    );
    f.push("hugetlb", hugetlb());
    f.push("memlock", memlock());
    f.warnings = warnings(&f);
    f
}

/// What changes while a run goes on; pushed once before it and once after.
pub fn moving(f: &mut Fingerprint, when: &str) {
    for field in ["DirectMap4k", "DirectMap2M", "DirectMap1G"] {
        f.push(&format!("{field}.{when}"), meminfo(field).map(mib));
    }
    f.push(&format!("steal_ticks.{when}"), steal());
    f.push(&format!("load.{when}"), line("/proc/loadavg"));
}

/// What the direct map consists of, KiB by page size, and what has happened to
/// it since boot, as far as this kernel counts it.
pub fn direct_map() -> BTreeMap<String, u64> {
    let mut all = BTreeMap::new();
    for field in ["DirectMap4k", "DirectMap2M", "DirectMap1G"] {
        if let Some(bytes) = meminfo(field) {
            all.insert(format!("{field}_kib"), bytes.0 >> 10);
        }
    }
    let vmstat = fs::read_to_string("/proc/vmstat").unwrap_or_default();
    for (name, n) in vmstat.lines().filter_map(|l| l.split_once(' ')) {
        if name.starts_with("direct_map_")
            && let Ok(n) = n.trim().parse()
        {
            all.insert(name.to_string(), n);
        }
    }
    all
}

/// What has been done for this process, and between CPUs, so far: `minor_faults` of
/// this process, the machine's interrupts from one CPU to another, by kind, and its
/// TLB flushes where it counts them.
pub fn effort() -> BTreeMap<String, u64> {
    let mut all = interrupts_in(&fs::read_to_string("/proc/interrupts").unwrap_or_default());
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name in brackets may hold anything; minflt is the eighth field after it.
    let faults = stat.rsplit(')').next().and_then(|rest| {
        let field = rest.split_whitespace().nth(7)?;
        field.parse().ok()
    });
    all.extend(faults.map(|n| ("minor_faults".to_string(), n)));
    all.extend(flushes());
    all
}

/// What [`effort`] has grown by since it was `before`.
pub fn effort_since(before: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let mut now = effort();
    for (name, n) in &mut now {
        *n = n.saturating_sub(before.get(name).copied().unwrap_or(0));
    }
    now
}

/// TLB flushes of the whole machine, as a kernel counts them that was built with
/// CONFIG_DEBUG_TLBFLUSH; nothing from others.
fn flushes() -> Vec<(String, u64)> {
    let vmstat = fs::read_to_string("/proc/vmstat").unwrap_or_default();
    let count = |line: &str| {
        let (name, n) = line.split_once(' ')?;
        let name = name.strip_prefix("nr_tlb_")?;
        Some((format!("tlb.{name}"), n.trim().parse().ok()?))
    };
    vmstat.lines().filter_map(count).collect()
}

fn interrupts_in(text: &str) -> BTreeMap<String, u64> {
    let kinds = [
        ("RES:", "ipi.reschedule"),
        ("CAL:", "ipi.call"),
        ("TLB:", "ipi.tlb"),
    ];
    let of = |(label, name): (&str, &str)| {
        let mut lines = text.lines().map(str::trim_start);
        let counts = lines.find_map(|line| line.strip_prefix(label))?;
        let numbers = counts
            .split_whitespace()
            .map_while(|w| w.parse::<u64>().ok());
        Some((name.to_string(), numbers.sum()))
    };
    kinds.into_iter().filter_map(of).collect()
}

/// Allows huge pages for memfd on request, machine-wide. For the lab's first
/// process, whose machine it is; on a host that is for a script to do and undo.
///
/// # Errors
/// If the kernel has no such switch, or does not let this process turn it.
pub fn allow_huge_memfd() -> std::io::Result<()> {
    fs::write(
        "/sys/kernel/mm/transparent_hugepage/shmem_enabled",
        "advise",
    )
}

/// Where tests of a kernel look for its debugfs.
pub const DEBUGFS: &str = "/sys/kernel/debug";

/// Whether the kernel has a PMU of this machine's CPUs, and so more than software events.
pub fn has_pmu() -> bool {
    let real = |p: &str| Path::new("/sys/bus/event_source/devices").join(p).exists();
    real("cpu") || real("cpu_core")
}

/// What may be counted without privilege (Documentation/admin-guide/sysctl/kernel.rst);
/// `None` on a kernel without perf events.
pub fn perf_event_paranoid() -> Option<i64> {
    line("/proc/sys/kernel/perf_event_paranoid")?.parse().ok()
}

/// Which processor this is, as CPUID says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Processor {
    /// `GenuineIntel` or the like.
    pub vendor: String,
    /// The family, with the extended one.
    pub family: u32,
    /// The model, with the extended one.
    pub model: u32,
}

/// This machine's processor; `None` if the kernel does not say.
pub fn processor() -> Option<Processor> {
    let number = |field| cpuinfo(field)?.parse().ok();
    Some(Processor {
        vendor: cpuinfo("vendor_id")?,
        family: number("cpu family")?,
        model: number("model")?,
    })
}

/// Memory that a new process could use without swapping.
pub fn available_memory() -> Option<Bytes> {
    meminfo("MemAvailable")
}

/// How a mapping of this process is backed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backing {
    /// Bytes that have a page.
    pub resident: Bytes,
    /// Bytes of them that are mapped by huge pages.
    pub huge: Bytes,
}

/// The backing of the mapping at `address` of this process. `None` if there is
/// no such mapping.
pub fn backing(address: usize) -> Option<Backing> {
    backing_in(&fs::read_to_string("/proc/self/smaps").ok()?, address)
}

fn backing_in(smaps: &str, address: usize) -> Option<Backing> {
    let mut inside = false;
    let (mut resident, mut huge, mut reserved) = (None, 0, 0);
    for line in smaps.lines() {
        let mut words = line.split_whitespace();
        let first = words.next()?;
        if let Some((start, end)) = first.split_once('-') {
            let hex = |s| usize::from_str_radix(s, 16).ok();
            inside = hex(start)? <= address && address < hex(end)?;
        } else if inside {
            let bytes = words
                .next()
                .and_then(|n| n.parse::<u64>().ok())
                .map(|kib| kib * 1024);
            match first {
                "Rss:" => resident = bytes,
                "AnonHugePages:" | "ShmemPmdMapped:" | "FilePmdMapped:" => huge += bytes?,
                // In no other line, Rss least of all.
                "Shared_Hugetlb:" | "Private_Hugetlb:" => reserved += bytes?,
                _ => {}
            }
        }
    }
    Some(Backing {
        resident: Bytes(resident? + reserved),
        huge: Bytes(huge + reserved),
    })
}

fn warnings(f: &Fingerprint) -> Vec<String> {
    let mut w = Vec::new();
    if f.get("virtualised") == Some("yes") {
        w.push("This machine is itself a virtual machine: its KVM is nested or in software. Absolute figures say little; ratios within one run do.".into());
    }
    match f.get("kvm.flavour") {
        Some("intel" | "amd") => {}
        Some(other) => w.push(format!(
            "KVM's flavour here is {other}, which uses no hardware virtualisation: exits and faults cost another order of magnitude, in other proportions."
        )),
        None => w.push("No KVM vendor module could be identified.".into()),
    }
    if f.get("pmu") == Some("none") {
        w.push(
            "No hardware performance counters are exposed: TLB figures are unavailable here."
                .into(),
        );
    }
    if let Some(governor) = f.get("cpu.governor").filter(|g| *g != "performance") {
        w.push(format!("The frequency governor is {governor}, not performance: the clock may change between arms."));
    }
    w
}

fn line(path: impl AsRef<Path>) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_string())
}

fn yes_no(b: bool) -> &'static str {
    if b { "yes" } else { "no" }
}

fn mib(b: Bytes) -> String {
    format!("{} MiB", b.0 >> 20)
}

fn machine() -> Option<String> {
    let field = |name: &str| line(format!("/sys/class/dmi/id/{name}"));
    Some(format!(
        "{} {}",
        field("sys_vendor")?,
        field("product_name")?
    ))
}

fn cpuinfo(field: &str) -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let value = |l: &str| {
        let (name, value) = l.split_once(':')?;
        (name.trim() == field).then(|| value.trim().to_string())
    };
    text.lines().find_map(value)
}

fn family() -> Option<String> {
    let field = |name| cpuinfo(name);
    Some(format!(
        "{}/{}/{}",
        field("cpu family")?,
        field("model")?,
        field("stepping")?
    ))
}

fn has_flag(flag: &str) -> bool {
    cpuinfo("flags").is_some_and(|flags| flags.split(' ').any(|f| f == flag))
}

fn config() -> Option<String> {
    let mut text = String::new();
    if let Ok(file) = fs::File::open("/proc/config.gz") {
        GzDecoder::new(file).read_to_string(&mut text).ok()?;
        return Some(text);
    }
    let release = line("/proc/sys/kernel/osrelease")?;
    fs::read_to_string(format!("/boot/config-{release}")).ok()
}

/// Tells two configurations apart; comments and order do not count.
fn config_digest(config: &str) -> String {
    let mut set: Vec<_> = config
        .lines()
        .filter(|l| l.starts_with("CONFIG_"))
        .collect();
    set.sort_unstable();
    let mut digest = abi::Digest::new();
    set.iter()
        .flat_map(|l| l.bytes().chain([b'\n']))
        .for_each(|b| digest.push(b.into()));
    format!("{} options, FNV-1a {:016x}", set.len(), digest.get())
}

fn setting(config: &str, name: &str) -> Option<String> {
    let value = |l: &str| l.strip_prefix(name)?.strip_prefix('=').map(str::to_string);
    config.lines().find_map(value)
}

/// The kernel's own parameters. What names files, devices or arguments of init
/// bears on no number and may be private.
fn cmdline(all: &str) -> String {
    let private = [
        "BOOT_IMAGE=",
        "console=",
        "init=",
        "initrd=",
        "rdinit=",
        "resume=",
        "root=",
    ];
    let words = all.split_whitespace().take_while(|w| *w != "--");
    let kept = words.filter(|w| !private.iter().any(|p| w.starts_with(p)));
    kept.collect::<Vec<_>>().join(" ")
}

fn mitigations() -> Option<String> {
    let mut all = Vec::new();
    for entry in fs::read_dir("/sys/devices/system/cpu/vulnerabilities")
        .ok()?
        .flatten()
    {
        let state = line(entry.path())?;
        if state != "Not affected" {
            all.push(format!("{}: {state}", entry.file_name().to_string_lossy()));
        }
    }
    all.sort();
    Some(all.join(" · ")).filter(|s| !s.is_empty())
}

/// The vendor module below /dev/kvm: `intel`, `amd`, or another.
fn kvm_flavour() -> Option<String> {
    let mut found: Vec<_> = fs::read_dir("/sys/module")
        .ok()?
        .flatten()
        .filter_map(|e| {
            e.file_name()
                .to_str()?
                .strip_prefix("kvm_")
                .map(str::to_string)
        })
        .collect();
    found.sort();
    Some(found.join("+")).filter(|s| !s.is_empty())
}

fn pmu() -> &'static str {
    match has_pmu() {
        true => "hardware",
        false => "none",
    }
}

fn meminfo(field: &str) -> Option<Bytes> {
    meminfo_number(field).map(|kib| Bytes(kib * 1024))
}

fn meminfo_number(field: &str) -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let value = |l: &str| {
        let rest = l.strip_prefix(field)?.strip_prefix(':')?;
        rest.split_whitespace().next()?.parse::<u64>().ok()
    };
    text.lines().find_map(value)
}

/// Huge pages reserved and free, and their size; `None` without hugetlbfs.
fn hugetlb() -> Option<String> {
    let size = meminfo("Hugepagesize").map(mib)?;
    let count = |field| meminfo_number(field).map_or("?".to_string(), |n| n.to_string());
    let [total, free] = ["HugePages_Total", "HugePages_Free"].map(count);
    Some(format!("{total} reserved, {free} free, of {size}"))
}

fn memlock() -> Option<String> {
    let text = fs::read_to_string("/proc/self/limits").ok()?;
    let line = text.lines().find(|l| l.starts_with("Max locked memory"))?;
    Some(
        line.split_whitespace()
            .skip(3)
            .collect::<Vec<_>>()
            .join(" "),
    )
}

/// Time that the hypervisor gave to others, in USER_HZ ticks since boot.
fn steal() -> Option<String> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    text.lines()
        .next()?
        .split_whitespace()
        .nth(8)
        .map(str::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_backing_is_that_of_the_right_mapping() {
        let smaps = "1000-3000 rw-s 00000000 00:01 5 /memfd:x (deleted)\n\
                     Size: 8 kB\nRss: 8192 kB\nAnonHugePages: 2048 kB\nShmemPmdMapped: 4096 kB\n\
                     Shared_Hugetlb: 2048 kB\nPrivate_Hugetlb: 0 kB\n\
                     3000-4000 rw-p 00000000 00:00 0\nRss: 4 kB\nAnonHugePages: 0 kB\nVmFlags: rd wr\n";
        let check = |address, expected: Option<(u64, u64)>| {
            let expected = expected.map(|(resident, huge)| Backing {
                resident: Bytes(resident),
                huge: Bytes(huge),
            });
            assert_eq!(backing_in(smaps, address), expected);
        };
        check(0x2fff, Some((10 << 20, 8 << 20)));
        check(0x3000, Some((4096, 0)));
        check(0x4000, None);
    }

    #[test]
    fn interrupts_are_added_up_over_cpus() {
        let text = "           CPU0       CPU1\n  4:  7  0  IO-APIC  4-edge  ttyS0\n\
                    RES:        10          2   Rescheduling interrupts\n\
                    TLB:         3          4   TLB shootdowns\n";
        let found: Vec<_> = interrupts_in(text).into_iter().collect();
        let expected = [
            ("ipi.reschedule".to_string(), 12),
            ("ipi.tlb".to_string(), 7),
        ];
        assert_eq!(found, expected);
        assert!(effort()["minor_faults"] > 0);
    }

    #[test]
    fn a_config_digest_ignores_comments_and_order() {
        let a = config_digest("# x\nCONFIG_A=y\nCONFIG_B=m\n");
        assert_eq!(
            a,
            config_digest("CONFIG_B=m\nCONFIG_A=y\n# CONFIG_C is not set\n")
        );
        assert_ne!(a, config_digest("CONFIG_A=y\n"));
        assert_eq!(
            setting("CONFIG_HZ_100=y\nCONFIG_HZ=100\n", "CONFIG_HZ").as_deref(),
            Some("100")
        );
    }

    #[test]
    fn a_cmdline_keeps_what_bears_on_numbers() {
        let all = "BOOT_IMAGE=/vmlinuz root=/dev/sda1 mitigations=off nohz=on -- --token x\n";
        assert_eq!(cmdline(all), "mitigations=off nohz=on");
    }

    #[test]
    fn this_machine_has_a_fingerprint() {
        let f = fingerprint();
        assert!(f.get("kernel").is_some());
        assert!(f.facts.iter().all(|fact| !fact.value.is_empty()));
        assert!(available_memory().is_some_and(|b| b.0 > 0));
        assert!(backing(std::ptr::from_ref(&f).addr()).is_some());
    }
}
