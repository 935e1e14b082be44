// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Carries out jobs in the lab: a fresh boot for each arm and workload family, because
//! what an arm does to the direct map never heals until reboot.

use super::{answers::in_order, files::pack, inside};
use crate::{
    execute::{Executor, LAB_CPUS},
    job::{Answer, Job},
    step::Step,
};
use lab::{
    Boot, Emulator, Error, Machine, Terminal, initramfs, program::this_program, tlb::Modelling,
};
use models::TlbModel;
use results::{Cell, Fingerprint, Outcome, cell::Group};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    thread,
    time::Duration,
};

/// How long a boot may take, real time, and each of its cells. The longest, a Linux
/// guest with all its memory populated, takes 20 s on a busy machine.
const LIMIT: Duration = Duration::from_secs(900);
const LIMIT_PER_CELL: Duration = Duration::from_secs(60);

/// The command that makes this program the lab's first process.
pub const INIT: &str = "lab-init";

/// The family of the workloads that are about TLBs.
const TLB_FAMILY: &str = "tlb";

/// The fact that says what models them.
const TLB_MODEL: &str = "lab.tlb-model";

/// A kernel that the lab boots, as records have it.
#[derive(Clone, Debug)]
pub(super) struct Kernel {
    /// Where the image is.
    pub(super) image: PathBuf,
    /// What it is called.
    pub(super) name: String,
    /// The SHA-256 of the image, in hexadecimal.
    pub(super) sha256: String,
    /// What compiled it, if that is known.
    pub(super) compiler: Option<String>,
    /// The Linux that it was made from, if that is known.
    pub(super) base: Option<String>,
}

/// A lab of one kernel.
#[derive(Debug)]
pub struct Lab {
    emulator: Box<dyn Emulator>,
    kernel: Kernel,
    program: Vec<u8>,
    modelling: Result<Modelling, String>,
    everywhere: bool,
}

impl Lab {
    /// A lab that boots `kernel` and runs this program inside.
    ///
    /// # Errors
    /// As [`this_program`].
    pub(super) fn new(emulator: impl Emulator + 'static, kernel: Kernel) -> Result<Self, Error> {
        Ok(Lab {
            emulator: Box::new(emulator),
            kernel,
            program: this_program()?,
            modelling: Err("no model of TLBs was prepared".into()),
            everywhere: false,
        })
    }

    /// The same with a model of TLBs for the workloads that are about them, or why
    /// there is none; `everywhere` for all workloads.
    #[must_use]
    pub(super) fn modelling(self, modelling: Result<Modelling, String>, everywhere: bool) -> Self {
        Lab {
            modelling,
            everywhere,
            ..self
        }
    }

    /// What is said to jobs of the model, and the model if they are to have it. Jobs
    /// of one boot are of one family.
    fn model_for(&self, jobs: &[Job]) -> (TlbModel, Option<&Modelling>) {
        let about_tlbs = |cell: &Cell| self.everywhere || cell.family() == TLB_FAMILY;
        let wanted = |job: &Job| matches!(job, Job::Measure { cell, .. } if about_tlbs(cell));
        match &self.modelling {
            _ if !jobs.iter().any(wanted) => (TlbModel::Unasked, None),
            Ok(modelling) => (TlbModel::Here, Some(modelling)),
            Err(why) => (TlbModel::Absent(why.clone()), None),
        }
    }

    /// The answers to `jobs`, out of one boot with `cpus` CPUs.
    fn boot(&self, cpus: u64, jobs: &[Job]) -> Result<Vec<Answer>, Error> {
        let (said, modelling) = self.model_for(jobs);
        let mut inside = jobs.to_vec();
        for job in &mut inside {
            if let Job::Measure { tlb_model, .. } = job {
                *tlb_model = said.clone();
            }
        }
        let files = pack(&mut inside).map_err(|(path, source)| Error::Io {
            action: "read",
            path,
            source,
        })?;
        let mut root = initramfs::root(&self.program, &inside::task(&inside));
        files.add_to(&mut root);
        let emulator: &dyn Emulator = match modelling {
            Some(modelling) => modelling,
            None => self.emulator.as_ref(),
        };
        let boot = Boot {
            emulator,
            machine: Machine {
                cpus,
                ..Machine::default()
            },
            kernel: &self.kernel.image,
            append: &format!(" -- {INIT}"),
            terminal: Terminal::Kept,
            limit: Some(LIMIT + LIMIT_PER_CELL * jobs.len() as u32),
        };
        let booted = boot.run(root)?;
        let (end, console) = (&booted.end, &booted.console);
        Ok(in_order(jobs.len(), &booted.lines, end, console))
    }
}

impl Executor for Lab {
    fn carry_out(&self, jobs: &[Job]) -> Vec<Answer> {
        if jobs.is_empty() {
            return Vec::new();
        }
        let cpus = jobs.iter().find_map(cpus).unwrap_or(1);
        match self.boot(cpus, jobs) {
            Ok(answers) => answers,
            Err(e) => {
                let failed = Answer::Outcome(Outcome::failed(e.to_string()));
                vec![failed; jobs.len()]
            }
        }
    }

    /// All steps of one block, arm, family and number of CPUs together, in
    /// the order in which the first of each comes; some stay alone.
    fn batches(&self, steps: Vec<Step>) -> Vec<Vec<Step>> {
        // Read once: a run has thousands of steps.
        let workloads = workloads::all().expect("the run was planned from them");
        let fresh = workloads.iter().filter(|w| w.fresh);
        let fresh: BTreeSet<&str> = fresh.map(|w| w.id.as_str()).collect();
        let mut places: BTreeMap<BootKey, usize> = BTreeMap::new();
        let mut batches: Vec<Vec<Step>> = Vec::new();
        for step in steps {
            let place = places.entry(boot(&step, &fresh)).or_insert(batches.len());
            match batches.get_mut(*place) {
                Some(batch) => batch.push(step),
                None => batches.push(vec![step]),
            }
        }
        batches
    }

    fn describe(&self, host: &mut Fingerprint) {
        let kernel = self.kernel.clone();
        host.push("lab.kernel", Some(kernel.name));
        host.push("lab.kernel.base", kernel.base);
        host.push("lab.kernel.compiler", kernel.compiler);
        host.push("lab.kernel.image", Some(kernel.sha256));
        if host.get(TLB_MODEL).is_none() {
            let of = match self.everywhere {
                true => "all cells",
                false => "cells of tlb/*",
            };
            let what = match &self.modelling {
                Ok(modelling) => format!("{of}: {}", modelling.describe()),
                Err(why) => format!("unavailable: {why}"),
            };
            host.push(TLB_MODEL, Some(what));
        }
        let memory = format!("{} MiB", Machine::default().memory_mib);
        let memory = ("lab.memory".to_string(), memory);
        for (name, value) in self.emulator.identity().facts().into_iter().chain([memory]) {
            if host.get(&name).is_none() {
                host.push(&name, Some(value));
            }
        }
    }

    /// Instructions do not mind what else the machine does.
    fn width(&self) -> usize {
        thread::available_parallelism().map_or(1, usize::from)
    }
}

/// What steps of one boot have in common: block, arm, family, CPUs, and the group of a
/// cell that must be the first of its boot.
type BootKey = (u32, String, String, Option<u64>, Option<Group>);

/// The boot of `step`; workloads that are `fresh` have one for each cell.
fn boot(step: &Step, fresh: &BTreeSet<&str>) -> BootKey {
    let cell = &step.cell;
    (
        step.block,
        cell.arm(),
        cell.family().to_string(),
        cell.int(LAB_CPUS),
        fresh.contains(cell.workload.as_str()).then(|| cell.group()),
    )
}

fn cpus(job: &Job) -> Option<u64> {
    match job {
        Job::Measure { cell, .. } => cell.int(LAB_CPUS),
        Job::Probe { .. } | Job::Audit { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lab::emulator::Qemu;
    use results::{
        Testbed,
        cell::{ParamValue, Params},
    };

    fn job(workload: &str) -> Job {
        Job::measure(Cell {
            testbed: Testbed::Lab,
            strategy: results::BASELINE.into(),
            workload: workload.into(),
            params: Params::new(),
            mode: Params::new(),
        })
    }

    #[test]
    fn steps_share_a_boot_unless_they_look_at_what_was_before() {
        let step = |workload: &str, work: &str| {
            let Job::Measure { mut cell, .. } = job(workload) else {
                panic!("it is one")
            };
            cell.params
                .insert("work".into(), ParamValue::Text(work.into()));
            Step {
                cell,
                block: 1,
                order: 0,
            }
        };
        let fresh = BTreeSet::from(["tlb/host-victim"]);
        let check = |workload: &str, expected: bool| {
            let [a, b] = ["a", "b"].map(|work| boot(&step(workload, work), &fresh));
            assert_eq!(a == b, expected, "{workload}");
        };
        check("tlb/chase", true);
        check("tlb/host-victim", false);
        let [a, b] = ["tlb/chase", "mmio/user-read"].map(|w| boot(&step(w, "a"), &fresh));
        assert_ne!(a, b);
    }

    /// Without one: whoever would have had it is told why not.
    #[test]
    fn the_model_is_for_those_who_are_about_it_or_for_all() {
        let absent = TlbModel::Absent("no QEMU".into());
        let check = |everywhere, workload: &str, expected: &TlbModel| {
            let lab = Lab {
                emulator: Box::new(Qemu::parse("QEMU emulator version 7.2.0").unwrap()),
                kernel: Kernel {
                    image: PathBuf::new(),
                    name: String::new(),
                    sha256: String::new(),
                    compiler: None,
                    base: None,
                },
                program: Vec::new(),
                modelling: Err("no QEMU".into()),
                everywhere,
            };
            let probe = Job::Probe {
                strategy: results::BASELINE.into(),
            };
            let (said, model) = lab.model_for(&[probe, job(workload)]);
            assert_eq!((&said, model), (expected, None), "{workload}");
        };
        check(false, "tlb/chase", &absent);
        check(false, "mmio/user-read", &TlbModel::Unasked);
        check(true, "mmio/user-read", &absent);
    }
}
