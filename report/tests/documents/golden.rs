// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Whole documents against files in `golden/`, which open in a browser, an
//! editor or a mail client. After a change that is meant, refresh them with
//!
//! ```sh
//! UPDATE_GOLDEN=1 cargo test -p report
//! ```
//!
//! and read the difference before it is committed. `terminal` and `csv` have
//! golden files of the small runs only: a million lines say nothing to a reader.

use crate::{disk, runs, tlb};
use report::{Format, render};
use results::Run;
use std::{fs, path::PathBuf};

/// Every run that is small enough to keep, by the name of its files.
fn kept() -> Vec<(&'static str, Run)> {
    vec![
        ("realistic", runs::realistic(40)),
        ("only-missing", runs::only_missing()),
        ("one-sample", runs::one_sample()),
        ("fake-and-lab", runs::fake_and_lab()),
        ("lab", runs::lab()),
        ("disk", disk::disk()),
        ("tlb", tlb::tlb()),
        ("hostile", runs::hostile()),
    ]
}

/// Holds `document` to the golden file called `file`.
pub(crate) fn check(file: &str, document: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(file);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, document).expect("golden files can be written");
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    if kept == document {
        return;
    }
    let at = kept.lines().zip(document.lines()).position(|(a, b)| a != b);
    panic!(
        "{} differs from line {:?} on; see the head of this file",
        path.display(),
        at.map(|l| l + 1)
    );
}

#[test]
fn documents_are_those_kept() {
    for (name, run) in kept() {
        for &format in Format::ALL {
            if format != Format::Csv || name == "one-sample" {
                let file = format!("{name}.{}", format.file_name());
                check(&file, &render(format, &run).unwrap());
            }
        }
    }
}

#[test]
fn rendering_twice_gives_the_same_bytes() {
    let run = runs::fake_and_lab();
    for &format in Format::ALL {
        let [a, b] = [(); 2].map(|()| render(format, &run).unwrap());
        assert!(a == b, "{format}");
    }
}
