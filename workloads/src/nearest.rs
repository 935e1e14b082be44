// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Guessing what a misspelt word meant.

/// The candidate spelled most like `word`, if it is at all alike.
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    // Quadratic in the length, and the word comes from a command line.
    let word: String = word.chars().take(64).collect();
    candidates
        .map(|c| (strsim::jaro_winkler(&word, c), c))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, c)| c.to_string())
}
