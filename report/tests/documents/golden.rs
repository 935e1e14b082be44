// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Whole documents against files in `golden/`, which open in a browser, an editor or a mail
//! client: one small run a format, because a file that is never read holds nothing. What must
//! be true of any run is in the other files. After a change that is meant, refresh them with
//!
//! ```sh
//! UPDATE_GOLDEN=1 cargo test -p report
//! ```
//!
//! and read the difference before it is committed.

use crate::runs;
use report::{Format, render};
use std::{fs, path::PathBuf};

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
    let (lab, one) = (runs::lab(), runs::one_sample());
    let kept = [
        ("lab", &lab, Format::Text),
        ("lab", &lab, Format::Markdown),
        ("lab", &lab, Format::Terminal),
        ("one-sample", &one, Format::Html),
        ("one-sample", &one, Format::Csv),
    ];
    for (name, run, format) in kept {
        let file = format!("{name}.{}", format.file_name());
        check(&file, &render(format, run).unwrap());
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
