// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The lab as one who carries out jobs: a fresh boot for each arm and workload
//! family, because what an arm does to the direct map never heals until reboot.

use super::{
    boot::{Boot, Booted},
    elf::this_program,
    error::Error,
    qemu::Qemu,
};
use crate::{
    cell::{Answer, Job},
    execute::Executor,
    plan::{LAB_CPUS, Step},
};
use results::{Fingerprint, Outcome};
use std::{path::PathBuf, thread};

/// A lab of one kernel.
#[derive(Debug)]
pub struct Lab {
    qemu: Qemu,
    kernel: PathBuf,
    name: String,
    program: Vec<u8>,
}

impl Lab {
    /// A lab that boots `kernel`, called `name` in records, and runs this program
    /// inside.
    ///
    /// # Errors
    /// [`Error::NotStatic`] if this program cannot run there, [`Error::Io`] if
    /// it cannot be read.
    pub fn new(qemu: Qemu, kernel: PathBuf, name: String) -> Result<Self, Error> {
        Ok(Lab {
            qemu,
            kernel,
            name,
            program: this_program()?,
        })
    }

    /// The emulator.
    pub fn qemu(&self) -> &Qemu {
        &self.qemu
    }

    /// Boots once with `cpus` CPUs for `jobs`.
    ///
    /// # Errors
    /// As [`Boot::run`].
    pub fn boot(&self, cpus: u64, jobs: &[Job]) -> Result<Booted, Error> {
        let boot = Boot {
            qemu: &self.qemu,
            kernel: &self.kernel,
            program: &self.program,
            cpus,
        };
        boot.run(jobs)
    }
}

impl Executor for Lab {
    fn carry_out(&self, jobs: &[Job]) -> Vec<Answer> {
        if jobs.is_empty() {
            return Vec::new();
        }
        let cpus = jobs.iter().find_map(cpus).unwrap_or(1);
        match self.boot(cpus, jobs) {
            Ok(booted) => booted.answers,
            Err(e) => {
                let failed = Answer::Outcome(Outcome::failed(e.to_string()));
                vec![failed; jobs.len()]
            }
        }
    }

    /// All steps of one block, arm, family and number of CPUs together, in
    /// the order in which the first of each comes.
    fn batches(&self, steps: Vec<Step>) -> Vec<Vec<Step>> {
        let mut batches: Vec<Vec<Step>> = Vec::new();
        for step in steps {
            let together =
                |batch: &&mut Vec<Step>| batch.iter().any(|other| share_a_boot(other, &step));
            match batches.iter_mut().find(together) {
                Some(batch) => batch.push(step),
                None => batches.push(vec![step]),
            }
        }
        batches
    }

    fn describe(&self, host: &mut Fingerprint) {
        host.push("lab.kernel", Some(self.name.clone()));
        for (name, value) in self.qemu.facts() {
            if host.get(name).is_none() {
                host.push(name, Some(value));
            }
        }
    }

    /// Instructions do not mind what else the machine does.
    fn width(&self) -> usize {
        thread::available_parallelism().map_or(1, usize::from)
    }
}

fn share_a_boot(a: &Step, b: &Step) -> bool {
    let of = |s: &Step| {
        (
            s.block,
            s.cell.arm(),
            s.cell.family().to_string(),
            s.cell.int(LAB_CPUS),
        )
    };
    of(a) == of(b)
}

fn cpus(job: &Job) -> Option<u64> {
    match job {
        Job::Measure { cell, .. } => cell.int(LAB_CPUS),
        Job::Trial { .. } | Job::Audit { .. } => None,
    }
}
