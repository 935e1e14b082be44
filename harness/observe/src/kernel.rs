// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The kernel: its configuration, command line and switches.

use crate::file::line;
use flate2::read::GzDecoder;
use std::{fs, io::Read};

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

/// What may be counted without privilege (Documentation/admin-guide/sysctl/kernel.rst);
/// `None` on a kernel without perf events.
pub fn perf_event_paranoid() -> Option<i64> {
    line("/proc/sys/kernel/perf_event_paranoid")?.parse().ok()
}

/// The text of its configuration, from /proc/config.gz or /boot.
pub(crate) fn config() -> Option<String> {
    let mut text = String::new();
    if let Ok(file) = fs::File::open("/proc/config.gz") {
        GzDecoder::new(file).read_to_string(&mut text).ok()?;
        return Some(text);
    }
    let release = line("/proc/sys/kernel/osrelease")?;
    fs::read_to_string(format!("/boot/config-{release}")).ok()
}

/// Tells two configurations apart; comments and order do not count.
pub(crate) fn config_digest(config: &str) -> String {
    let mut set: Vec<_> = config
        .lines()
        .filter(|l| l.starts_with("CONFIG_"))
        .collect();
    set.sort_unstable();
    let bytes = set.iter().flat_map(|l| l.bytes().chain([b'\n']));
    format!("{} options, FNV-1a {:016x}", set.len(), fnv_1a(bytes))
}

/// The 64-bit FNV-1a hash (draft-eastlake-fnv).
fn fnv_1a(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// The value of option `name` in the text of a configuration.
pub(crate) fn setting(config: &str, name: &str) -> Option<String> {
    let value = |l: &str| l.strip_prefix(name)?.strip_prefix('=').map(str::to_string);
    config.lines().find_map(value)
}

/// The kernel's own parameters. What names files, devices or arguments of init
/// bears on no number and may be private.
pub(crate) fn cmdline(all: &str) -> String {
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

/// The vendor module below /dev/kvm: `intel`, `amd`, or another.
pub(crate) fn kvm_flavour() -> Option<String> {
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

#[cfg(test)]
mod tests {
    use super::*;

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

    /// The vectors of draft-eastlake-fnv, appendix C.
    #[test]
    fn the_hash_is_fnv_1a() {
        assert_eq!(fnv_1a([].into_iter()), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv_1a(b"a".iter().copied()), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv_1a(b"foobar".iter().copied()), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn a_cmdline_keeps_what_bears_on_numbers() {
        let all = "BOOT_IMAGE=/vmlinuz root=/dev/sda1 mitigations=off nohz=on -- --token x\n";
        assert_eq!(cmdline(all), "mitigations=off nohz=on");
    }
}
