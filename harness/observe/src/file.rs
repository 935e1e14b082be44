// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Files of one line, as /proc and /sys have many.

use std::{fs, path::Path};

/// The content of `path` without white space at its ends; `None` if it cannot be
/// read or is empty.
pub(crate) fn line(path: impl AsRef<Path>) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_string())
}
