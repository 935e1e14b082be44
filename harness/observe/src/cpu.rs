// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The processor: /proc/cpuinfo and /sys/devices/system/cpu.

use crate::file::line;
use std::{fs, path::Path};

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
    let number = |name| field(name)?.parse().ok();
    Some(Processor {
        vendor: field("vendor_id")?,
        family: number("cpu family")?,
        model: number("model")?,
    })
}

/// Whether the kernel has a PMU of this machine's CPUs, and so more than software events.
pub fn has_pmu() -> bool {
    let real = |p: &str| Path::new("/sys/bus/event_source/devices").join(p).exists();
    real("cpu") || real("cpu_core")
}

/// The first value of `name` in /proc/cpuinfo.
pub(crate) fn field(name: &str) -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let value = |l: &str| {
        let (key, value) = l.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_string())
    };
    text.lines().find_map(value)
}

/// Family, model and stepping, with slashes between them.
pub(crate) fn family() -> Option<String> {
    Some(format!(
        "{}/{}/{}",
        field("cpu family")?,
        field("model")?,
        field("stepping")?
    ))
}

/// Whether /proc/cpuinfo lists `flag`.
pub(crate) fn has_flag(flag: &str) -> bool {
    field("flags").is_some_and(|flags| flags.split(' ').any(|f| f == flag))
}

/// A file below /sys/devices/system/cpu.
pub(crate) fn setting(path: &str) -> Option<String> {
    line(Path::new("/sys/devices/system/cpu").join(path))
}

/// The vulnerabilities that affect this processor, each with its mitigation.
pub(crate) fn mitigations() -> Option<String> {
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
