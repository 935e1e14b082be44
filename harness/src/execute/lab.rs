// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The lab as one who carries out jobs: a fresh boot for each arm and workload
//! family, because what an arm does to the direct map never heals until reboot.

use super::{Executor, inside};
use crate::{
    cell::{Answer, Job, TlbModel},
    guest,
    plan::{LAB_CPUS, Step},
};
use lab::{
    Boot, Emulator, End, Error, Machine, Terminal, emulator::Qemu, initramfs,
    program::this_program, tlb::Modelling,
};
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

/// How much of the console is kept with a failure, lines.
const TAIL: usize = 30;

/// The command that makes this program the lab's first process.
pub const INIT: &str = "lab-init";

/// The family of the workloads that are about TLBs.
const TLB_FAMILY: &str = "tlb";

/// The fact that says what models them.
const TLB_MODEL: &str = "lab.tlb-model";

/// A lab of one kernel.
#[derive(Debug)]
pub struct Lab {
    qemu: Qemu,
    kernel: PathBuf,
    name: String,
    base: Option<String>,
    program: Vec<u8>,
    modelling: Result<Modelling, String>,
    everywhere: bool,
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
            base: None,
            program: this_program()?,
            modelling: Err("nobody looked for it".into()),
            everywhere: false,
        })
    }

    /// The same, whose kernel was made from `base`, for records to say.
    #[must_use]
    pub fn based_on(self, base: String) -> Self {
        Lab {
            base: Some(base),
            ..self
        }
    }

    /// The same with a model of TLBs for the workloads that are about them, or why
    /// there is none; `everywhere` for all workloads.
    #[must_use]
    pub fn modelling(self, modelling: Result<Modelling, String>, everywhere: bool) -> Self {
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
            if let Job::Measure { model, .. } = job {
                *model = said.clone();
            }
        }
        let files = guest::pack(&mut inside).map_err(|(path, source)| Error::Io {
            action: "read",
            path,
            source,
        })?;
        let mut root = initramfs::root(&self.program, &inside::task(&inside));
        files.add_to(&mut root);
        let emulator: &dyn Emulator = match modelling {
            Some(modelling) => modelling,
            None => &self.qemu,
        };
        let boot = Boot {
            emulator,
            machine: Machine {
                cpus,
                ..Machine::default()
            },
            kernel: &self.kernel,
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
        let workloads = workloads::all().unwrap_or_default();
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
        host.push("lab.kernel", Some(self.name.clone()));
        host.push("lab.kernel.base", self.base.clone());
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
        for (name, value) in self.qemu.identity().facts().into_iter().chain([memory]) {
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
        Job::Trial { .. } | Job::Audit { .. } => None,
    }
}

/// The answers in the order of the jobs. The first job without one was the one
/// at which the machine died; those after it were not begun.
fn in_order(jobs: usize, lines: &str, end: &End, console: &str) -> Vec<Answer> {
    let mut answers: Vec<Option<Answer>> = vec![None; jobs];
    for line in lines.lines() {
        if let Ok(inside::Line { job, answer }) = serde_json::from_str(line)
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
    use results::{
        Testbed,
        cell::{ParamValue, Params},
    };

    fn job(workload: &str) -> Job {
        Job::Measure {
            cell: Cell {
                testbed: Testbed::Lab,
                strategy: results::BASELINE.into(),
                workload: workload.into(),
                params: Params::new(),
                mode: Params::new(),
            },
            sabotaged: false,
            delay_ns: 0,
            guest: None,
            model: TlbModel::Unasked,
        }
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
                qemu: Qemu::parse("QEMU emulator version 7.2.0").unwrap(),
                kernel: PathBuf::new(),
                name: String::new(),
                base: None,
                program: Vec::new(),
                modelling: Err("no QEMU".into()),
                everywhere,
            };
            let trial = Job::Trial {
                strategy: results::BASELINE.into(),
            };
            let (said, model) = lab.model_for(&[trial, job(workload)]);
            assert_eq!((&said, model), (expected, None), "{workload}");
        };
        check(false, "tlb/chase", &absent);
        check(false, "mmio/user-read", &TlbModel::Unasked);
        check(true, "mmio/user-read", &absent);
    }

    #[test]
    fn a_death_is_the_answer_of_the_job_it_struck() {
        let first = serde_json::to_string(&inside::Line {
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

    #[test]
    fn the_command_line_names_them_all() {
        let command = <crate::cli::Cli as clap::CommandFactory>::command();
        let run = command.find_subcommand("run").unwrap();
        let mut options = run.get_arguments();
        let option = options.find(|a| a.get_id() == "tlb_model").unwrap();
        let help = option.get_help().unwrap().to_string();
        for lab::tlb::Geometry { name, .. } in lab::tlb::Geometry::all().unwrap() {
            assert!(help.contains(&name), "{name}: {help}");
        }
    }
}
