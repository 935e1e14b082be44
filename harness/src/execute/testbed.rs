// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a testbed is to the rest of the program.

use super::Executor;
use crate::exit::Failure;
use clap::Args;
use results::Testbed;
use std::{fmt, path::PathBuf};
use workloads::Profile;

/// The parameter of a cell that says how many CPUs its machine has, on a testbed whose
/// machine is made for it.
pub const LAB_CPUS: &str = "lab_cpus";

/// A testbed as this program knows it.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Its name in records and on the command line.
    pub testbed: Testbed,
    /// One line about it.
    pub about: &'static str,
    /// Whether it is a machine. What is none is left out of `all` and of help.
    pub real: bool,
    /// What there is of it here.
    pub open: fn(&Wanted<'_>) -> Result<Vec<TestbedInstance>, Failure>,
}

/// What a command line asks of testbeds.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The seed of what is random.
    pub seed: u64,
    /// Which parameters.
    pub profile: Profile,
    /// How the lab is to be.
    pub lab: &'a LabArgs,
}

/// Where cells are carried out: a testbed, and for one that boots kernels, which.
pub struct TestbedInstance {
    /// The testbed.
    pub testbed: Testbed,
    /// What tells this kernel from the others of the run; `None` if it is ours, or the
    /// machine's own.
    pub kernel: Option<String>,
    /// How many CPUs its machine is to have, one group of cells each; empty if it has
    /// those that it has.
    pub cpus: Vec<u64>,
    /// What carries out jobs there.
    pub executor: Box<dyn Executor>,
}

impl TestbedInstance {
    /// `testbed` as it is.
    pub fn of(testbed: Testbed, executor: impl Executor + 'static) -> Self {
        TestbedInstance {
            testbed,
            kernel: None,
            cpus: Vec::new(),
            executor: Box::new(executor),
        }
    }
}

impl fmt::Debug for TestbedInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            testbed, kernel, ..
        } = self;
        write!(f, "{testbed} {kernel:?}")
    }
}

/// How the lab is to be.
#[derive(Debug, Args)]
pub struct LabArgs {
    /// CPUs of the lab, comma-separated: each number is measured by itself [default: 1; of
    /// the profile full 1,2,4,8]
    #[arg(long, value_delimiter = ',', value_name = "N",
          value_parser = clap::value_parser!(u64).range(1..=16))]
    pub cpus: Vec<u64>,
    /// Boot this bzImage in the lab instead of ours; may be given more than once
    #[arg(long, value_name = "BZIMAGE")]
    pub kernel: Vec<PathBuf>,
    /// Model these TLBs in every boot and count their misses: zen3, zen, zen4 or skylake;
    /// slower. Without it only tlb/* is modelled, as zen3
    #[arg(long, value_name = "CPU")]
    pub tlb_model: Option<String>,
}

impl LabArgs {
    /// The numbers of CPUs asked for, or those of `profile`.
    pub fn cpus(&self, profile: Profile) -> Vec<u64> {
        match (&self.cpus[..], profile) {
            ([], Profile::Full) => vec![1, 2, 4, 8],
            ([], Profile::Quick | Profile::Report) => vec![1],
            (given, _) => given.to_vec(),
        }
    }
}
