// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What this program does as the lab's first process: each job in a process of its own,
//! and a line with its answer.

use crate::{
    execute::Process,
    job::{Answer, Job},
};
use lab::init::{self, Task};
use serde::{Deserialize, Serialize};
use std::{io, path::PathBuf, time::Duration};

/// How long one cell may take, in the machine's own time. The emulator has a limit of its
/// own, in real time.
const CELL_LIMIT: Duration = Duration::from_secs(600);

/// A line that the lab says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Line {
    /// The job's place among the jobs.
    pub(super) job: usize,
    /// Its answer.
    pub(super) answer: Answer,
}

/// What the lab is booted for.
pub(super) fn task(jobs: &[Job]) -> Task {
    Task::Work(serde_json::to_string(jobs).expect("a job has text keys only"))
}

/// Carries out what the lab was booted for, and ends it.
///
/// # Errors
/// As [`init::run`].
pub fn run() -> io::Result<()> {
    init::run(|text, lines| {
        let jobs: Vec<Job> = serde_json::from_str(text)?;
        let process = Process::new(PathBuf::from("/init"), CELL_LIMIT);
        for (job, what) in jobs.iter().enumerate() {
            let answer = process.answer(what);
            lines.write(&Line { job, answer })?;
        }
        Ok(())
    })
}
