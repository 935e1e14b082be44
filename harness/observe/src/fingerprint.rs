// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Everything about a machine that bears on the numbers, for the record of a run.

use crate::{
    cpu, direct_map,
    file::line,
    kernel,
    memory::{self, meminfo, mib},
    pmu,
};
use results::Fingerprint;
use std::fs;

/// Everything about this machine that a reader of a report may ask for.
pub fn fingerprint() -> Fingerprint {
    let config = kernel::config();
    let config = config.as_deref();
    let thp = |file| line(format!("/sys/kernel/mm/transparent_hugepage/{file}"));
    let yes_no = |yes| Some(if yes { "yes" } else { "no" }.to_string());
    let has_pmu = cpu::has_pmu();
    let facts = [
        ("machine", machine()),
        ("cpu.model", cpu::field("model name")),
        ("cpu.family/model/stepping", cpu::family()),
        ("cpu.microcode", cpu::field("microcode")),
        ("cpu.online", cpu::setting("online")),
        ("cpu.invlpgb", yes_no(cpu::has_flag("invlpgb"))),
        (
            "cpu.governor",
            cpu::setting("cpu0/cpufreq/scaling_governor"),
        ),
        ("cpu.smt", cpu::setting("smt/control")),
        (
            "clocksource",
            line("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
        ),
        ("kernel", line("/proc/sys/kernel/osrelease")),
        ("kernel.version", line("/proc/sys/kernel/version")),
        ("kernel.config", config.map(kernel::config_digest)),
        (
            "kernel.hz",
            config.and_then(|c| kernel::setting(c, "CONFIG_HZ")),
        ),
        (
            "kernel.cmdline",
            line("/proc/cmdline").map(|c| kernel::cmdline(&c)),
        ),
        ("mitigations", cpu::mitigations()),
        ("kvm.flavour", kernel::kvm_flavour()),
        ("virtualised", yes_no(cpu::has_flag("hypervisor"))),
        (
            "pmu",
            Some(if has_pmu { "hardware" } else { "none" }.to_string()),
        ),
        ("pmu.events", has_pmu.then(pmu::events)),
        (
            "perf_event_paranoid",
            kernel::perf_event_paranoid().map(|level| level.to_string()),
        ),
        ("memory.total", meminfo("MemTotal").map(mib)),
        ("thp.enabled", thp("enabled")),
        ("thp.shmem", thp("shmem_enabled")),
        ("hugetlb", memory::hugetlb()),
        ("memlock", memory::memlock()),
    ];
    let mut f = Fingerprint::default();
    for (name, value) in facts {
        f.push(name, value);
    }
    f.warnings = warnings(&f);
    f
}

/// What changes while a run goes on; pushed once before it and once after.
pub fn moving(f: &mut Fingerprint, when: &str) {
    for field in direct_map::FIELDS {
        f.push(&format!("{field}.{when}"), meminfo(field).map(mib));
    }
    f.push(&format!("steal_ticks.{when}"), steal());
    f.push(&format!("load.{when}"), line("/proc/loadavg"));
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

fn machine() -> Option<String> {
    let field = |name: &str| line(format!("/sys/class/dmi/id/{name}"));
    Some(format!(
        "{} {}",
        field("sys_vendor")?,
        field("product_name")?
    ))
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
    fn this_machine_has_a_fingerprint() {
        let f = fingerprint();
        assert!(f.get("kernel").is_some());
        assert!(f.facts.iter().all(|fact| !fact.value.is_empty()));
        assert!(memory::available().is_some_and(|b| b.0 > 0));
        assert!(memory::backing(std::ptr::from_ref(&f).addr()).is_some());
    }
}
