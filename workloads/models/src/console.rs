// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a guest's console says about a failure.

use results::Outcome;

/// How much of the console goes with a failure, lines.
const TAIL: usize = 20;

/// How a kernel begins its last words.
const PANIC: &str = "Kernel panic";

/// The outcome with the console's last lines, if it is a failure; a panic of the
/// kernel is named at once.
pub(crate) fn with_evidence(outcome: Outcome, console: &str) -> Outcome {
    match outcome {
        Outcome::Failed { error, detail } => {
            let lines: Vec<_> = console.lines().collect();
            let tail = lines[lines.len().saturating_sub(TAIL)..].join("\n");
            let panic = lines
                .iter()
                .find_map(|line| line.find(PANIC).map(|at| &line[at..]));
            let error = match panic {
                Some(panic) => format!("{error}; its console says: {panic}"),
                None => error,
            };
            let parts = detail.into_iter().chain([format!("console:\n{tail}")]);
            Outcome::Failed {
                error,
                detail: Some(parts.collect::<Vec<_>>().join("\n")),
            }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_has_the_end_of_the_console_with_it() {
        let console: String = (0..100).map(|i| format!("line {i}\n")).collect();
        let failed = |detail: Option<&str>| Outcome::Failed {
            error: "e".into(),
            detail: detail.map(str::to_string),
        };
        let check = |outcome, expected: &[&str], absent: &str| {
            let Outcome::Failed { detail, .. } = with_evidence(outcome, &console) else {
                panic!("a failure stays one")
            };
            let detail = detail.unwrap_or_default();
            assert!(
                expected.iter().all(|part| detail.contains(part)),
                "{detail}"
            );
            assert!(!detail.contains(absent), "{detail}");
        };
        check(failed(None), &["line 80\n", "line 99"], "line 79");
        check(
            failed(Some("rip 0")),
            &["rip 0\nconsole:", "line 99"],
            "line 79",
        );
        let panic = format!("[    0.1] {PANIC} - not syncing: no root\n[    0.2] more\n");
        let Outcome::Failed { error, .. } = with_evidence(failed(None), &panic) else {
            panic!("a failure stays one")
        };
        assert_eq!(
            error,
            "e; its console says: Kernel panic - not syncing: no root"
        );
        let missing = Outcome::missing("a", "b");
        assert_eq!(with_evidence(missing.clone(), &console), missing);
    }
}
