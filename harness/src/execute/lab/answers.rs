// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Answers out of the lines of a boot. What killed the machine becomes the answer to the
//! job that it was at, with the console's last lines.

use super::inside::Line;
use crate::job::Answer;
use lab::End;
use results::Outcome;

/// How much of the console is kept with a failure, lines.
const TAIL: usize = 30;

/// The answers in the order of the jobs. The first job without one was the one
/// at which the machine died; those after it were not begun.
pub(super) fn in_order(jobs: usize, lines: &str, end: &End, console: &str) -> Vec<Answer> {
    let mut answers: Vec<Option<Answer>> = vec![None; jobs];
    for line in lines.lines() {
        if let Ok(Line { job, answer }) = serde_json::from_str(line)
            && let Some(place) = answers.get_mut(job)
        {
            *place = Some(answer);
        }
    }
    let mut died = false;
    let fill = |answer: Option<Answer>| {
        answer.unwrap_or_else(|| {
            let error = match std::mem::replace(&mut died, true) {
                false if console.trim().is_empty() => format!(
                    "the lab {end} before this cell answered, and its console stayed empty: \
                     a kernel for it needs CONFIG_SERIAL_8250_CONSOLE=y and CONFIG_BLK_DEV_INITRD=y"
                ),
                false => format!("the lab {end} before this cell answered"),
                true => "the lab was gone before this cell began".into(),
            };
            Answer::Outcome(Outcome::Failed {
                error,
                detail: Some(tail(console)),
            })
        })
    };
    answers.into_iter().map(fill).collect()
}

fn tail(console: &str) -> String {
    let lines: Vec<_> = console.lines().collect();
    lines[lines.len().saturating_sub(TAIL)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_death_is_the_answer_of_the_job_it_struck() {
        let first = serde_json::to_string(&Line {
            job: 0,
            answer: Answer::Available,
        })
        .unwrap();
        let text = format!("{first}\r\n{{\"job\":1,\"ans");
        let panic = "line 1\nKernel panic - not syncing";
        let answers = in_order(3, &text, &End::Ended, panic);
        assert_eq!(answers[0], Answer::Available);
        let said = |i: usize| format!("{:?}", answers[i]);
        assert!(
            said(1).contains("ended before this cell answered") && said(1).contains("Kernel panic")
        );
        assert!(said(2).contains("gone before this cell began"));
    }

    #[test]
    fn a_silent_kernel_is_told_what_it_lacks() {
        let answers = in_order(1, "", &End::Ended, "\r\n");
        assert!(format!("{answers:?}").contains("CONFIG_SERIAL_8250_CONSOLE"));
    }

    #[test]
    fn strange_answers_are_passed_over() {
        let text = "noise\n{\"job\":99,\"answer\":\"available\"}\n";
        assert_eq!(in_order(1, text, &End::Ended, "").len(), 1);
    }
}
