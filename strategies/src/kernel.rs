// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The kernel half: one patch series for each kernel version, embedded.
//!
//! `build.rs` finds them in `kernel/<version>/`, so that a new version is a new
//! directory. The patches and configuration fragments are data here, under the
//! kernel's own licence. They are applied when a kernel is built.

/// What makes a lab kernel out of one version of Linux.
#[derive(Clone, Copy, Debug)]
pub struct Series {
    /// The version that it was written against, such as `7.3`.
    pub version: &'static str,
    /// File name and content of each patch, in the order of application.
    pub patches: &'static [(&'static str, &'static [u8])],
    /// The options on top of `tinyconfig`.
    pub config: &'static str,
    /// The options on top of that in a debug kernel; may be empty.
    pub debug_config: &'static str,
}

/// Every series of this build, the newest version last.
pub static ALL: &[Series] = include!(concat!(env!("OUT_DIR"), "/series.rs"));

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(series: &Series) -> Vec<u32> {
        series
            .version
            .split('.')
            .filter_map(|n| n.parse().ok())
            .collect()
    }

    #[test]
    fn versions_ascend_and_patches_are_in_order() {
        assert!(ALL.is_sorted_by(|a, b| numbers(a) < numbers(b)));
        for series in ALL {
            let names: Vec<_> = series.patches.iter().map(|(name, _)| name).collect();
            assert!(names.is_sorted(), "{names:?}");
            assert!(series.config.contains("CONFIG_KVM=y"), "{}", series.version);
        }
    }

    /// A patch of ours says what it is and applies with `-p1`.
    #[test]
    fn patches_look_like_patches() {
        for (name, text) in ALL.iter().flat_map(|s| s.patches) {
            let text = String::from_utf8_lossy(text);
            for part in ["\nSubject: ", "\n--- ", "\n+++ b/"] {
                assert!(text.contains(part), "{name} lacks {part:?}");
            }
        }
    }
}
