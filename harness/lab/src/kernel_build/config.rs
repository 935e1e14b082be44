// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Configuration: `tinyconfig`, the fragments on top, and the proof that every
//! requested option stuck. Kconfig drops what it cannot satisfy in silence; a
//! lab kernel without KVM would be found out only after it has booted.

use std::collections::{BTreeMap, BTreeSet};

/// What fragments ask for: option to value, the last word on each. `n` stands
/// for "is not set".
pub(super) fn requested(fragments: &str) -> BTreeMap<&str, &str> {
    fragments.lines().filter_map(option).collect()
}

/// `base` without what the fragments speak of, then the fragments.
pub(super) fn merge(base: &str, fragments: &str) -> String {
    let wanted = requested(fragments);
    let mut merged: String = base
        .lines()
        .filter(|line| option(line).is_none_or(|(name, _)| !wanted.contains_key(name)))
        .flat_map(|line| [line, "\n"])
        .collect();
    for (name, value) in wanted {
        merged += &match value {
            "n" => format!("# {name} is not set\n"),
            _ => format!("{name}={value}\n"),
        };
    }
    merged
}

/// The requested options that the finished configuration lacks, each with what
/// became of it.
pub(super) fn lost(fragments: &str, config: &str) -> Vec<String> {
    let found = requested(config);
    let mut lost = BTreeSet::new();
    for (name, value) in requested(fragments) {
        let is = found.get(name).copied().unwrap_or("n");
        if is != value {
            let is = if is == "n" { "not set" } else { is };
            lost.insert(format!("{name}={value} (is {is})"));
        }
    }
    lost.into_iter().collect()
}

/// Compiler and linker of a configuration. The linker's version is one number:
/// major × 10,000 + minor × 100 (scripts/ld-version.sh).
pub(super) fn compiler(config: &str) -> Option<String> {
    let all = requested(config);
    let gcc = all.get("CONFIG_CC_VERSION_TEXT")?.trim_matches('"');
    let ld = ["CONFIG_LD_VERSION", "CONFIG_LLD_VERSION"]
        .iter()
        .filter_map(|name| all.get(name)?.parse::<u32>().ok())
        .find(|version| *version > 0)?;
    Some(format!("{gcc}, ld {}.{}", ld / 10_000, ld / 100 % 100))
}

/// The option that a line of a configuration sets.
fn option(line: &str) -> Option<(&str, &str)> {
    let unset = line
        .strip_prefix("# ")
        .and_then(|rest| rest.strip_suffix(" is not set"));
    let (name, value) = unset.map(|name| (name, "n")).or(line.split_once('='))?;
    name.starts_with("CONFIG_")
        .then_some((name, value.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_win_over_the_base_and_the_last_over_the_first() {
        let base = "# a comment\nCONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=3\nCONFIG_AB=y\n";
        let fragments =
            "CONFIG_A=n\nCONFIG_B=y\n# CONFIG_D=y is a comment\nCONFIG_C=4\nCONFIG_C=5\n";
        assert_eq!(
            merge(base, fragments),
            "# a comment\nCONFIG_AB=y\n# CONFIG_A is not set\nCONFIG_B=y\nCONFIG_C=5\n"
        );
    }

    #[test]
    fn the_compiler_is_part_of_a_configuration() {
        let config = "CONFIG_CC_VERSION_TEXT=\"gcc (Debian 12.2.0-14) 12.2.0\"\n\
                      CONFIG_LD_VERSION=24000\nCONFIG_LLD_VERSION=0\n";
        let expected = "gcc (Debian 12.2.0-14) 12.2.0, ld 2.40";
        assert_eq!(compiler(config).as_deref(), Some(expected));
        assert_eq!(compiler("CONFIG_KVM=y\n"), None);
    }

    #[test]
    fn what_did_not_stick_is_named_with_what_it_became() {
        #[track_caller]
        fn check(fragment: &str, expected: &[&str]) {
            let config = "CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=8\nCONFIG_S=\"text\"\n";
            assert_eq!(lost(fragment, config), expected, "{fragment}");
        }
        check("", &[]);
        check(
            "CONFIG_A=y\nCONFIG_B=n\nCONFIG_NEVER_HEARD=n\nCONFIG_S=\"text\"\n",
            &[],
        );
        check("CONFIG_B=y\n", &["CONFIG_B=y (is not set)"]);
        check("CONFIG_X=y\n", &["CONFIG_X=y (is not set)"]);
        check("CONFIG_A=n\n", &["CONFIG_A=n (is y)"]);
        check("# CONFIG_A is not set\n", &["CONFIG_A=n (is y)"]);
        check("CONFIG_C=16\n", &["CONFIG_C=16 (is 8)"]);
        check("CONFIG_A=n\nCONFIG_A=y\n", &[]);
    }
}
