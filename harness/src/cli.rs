// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The command line.

use crate::execute::{self, LabArgs};
use clap::{Args, Parser, Subcommand, ValueEnum, builder::PossibleValue};
use results::{Testbed, gate::Aspect};
use std::{path::PathBuf, sync::LazyLock};
use workloads::Profile;

/// Compares guest-memory isolation strategies for KVM.
#[derive(Debug, Parser)]
#[command(name = "unmapbench", version, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 fine, 1 regression, 2 usage or I/O error, 3 inconclusive, 4 nothing can run here, \
                  130 interrupted."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// What can run on this machine, and why the rest cannot
    Probe(Json),
    /// The strategies, the workloads and their parameters
    List(Json),
    /// Measure, record, and print the comparison
    Run(RunArgs),
    /// Render a recorded run
    Report(ReportArgs),
    /// Write a recorded run for another program: test results, benchmarks, metrics
    Export(ExportArgs),
    /// Join runs of several machines or kernels into one record
    Merge(MergeArgs),
    /// Two runs side by side
    Diff(DiffArgs),
    /// Whether a run costs more than a baseline: exit code 0 no, 1 yes, 3 cannot tell
    Gate(GateArgs),
    /// How far gate can be trusted on this machine: equal runs against each other
    Calibrate(CalibrateArgs),
    /// Who can read guest memory from outside the guest, with evidence
    Audit(AuditArgs),
    /// The emulated machine: build its kernel, run on it, look inside
    #[command(subcommand)]
    Lab(Lab),
    /// The first process of the lab
    #[command(hide = true)]
    LabInit,
    /// A process beside a guest, which works until its standard input ends
    #[command(hide = true)]
    CoRunner {
        /// The CPU to work on
        cpu: usize,
    },
    /// One cell, in a process of its own: reads a job from standard input
    #[command(hide = true)]
    Cell,
}

/// Output for a script.
#[derive(Clone, Copy, Debug, Args)]
pub struct Json {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Which testbeds to run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// This one.
    One(Testbed),
    /// All that are real.
    All,
}

impl On {
    /// The testbeds it names.
    pub fn testbeds(self) -> Vec<Testbed> {
        let wanted = |kind: &&execute::Kind| match self {
            On::One(testbed) => kind.testbed == testbed,
            On::All => kind.real,
        };
        let kinds = execute::ALL.iter().filter(wanted);
        kinds.map(|kind| kind.testbed).collect()
    }
}

impl ValueEnum for On {
    fn value_variants<'a>() -> &'a [Self] {
        static VARIANTS: LazyLock<Vec<On>> = LazyLock::new(|| {
            let kinds = execute::ALL.iter();
            let each = kinds.map(|kind| On::One(kind.testbed));
            each.chain([On::All]).collect()
        });
        &VARIANTS
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let On::One(testbed) = self else {
            return Some(PossibleValue::new("all").help("All of them"));
        };
        let kind = execute::ALL.iter().find(|kind| kind.testbed == *testbed)?;
        let value = PossibleValue::new(testbed.name()).help(kind.about);
        Some(value.hide(!kind.real))
    }
}

/// What to run.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Where to run
    #[arg(long, value_enum, default_value = "all")]
    pub on: On,
    /// How much to run: quick (15 blocks), report (30) or full (50, and what reviewers ask)
    #[arg(long, default_value = "quick")]
    pub profile: Profile,
    /// Only these strategies, comma-separated; NAME/PARAM=VALUE is one of its modes
    #[arg(long, value_delimiter = ',', value_name = "A,B")]
    pub strategies: Vec<String>,
    /// Only workloads that match; may be given more than once [default: all; of the profile
    /// full those of its questions]
    #[arg(long, value_name = "GLOB", num_args = 1..)]
    pub workloads: Vec<String>,
    /// Blocks that count, instead of the profile's number
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub blocks: Option<u32>,
    /// The seed of the block order
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// The directory to create for the run
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Also run each strategy in every mode of its own (flush, access)
    #[arg(long)]
    pub all_modes: bool,
    /// What a Linux guest boots
    #[command(flatten)]
    pub guest: GuestArgs,
    /// How the lab is to be
    #[command(flatten)]
    pub lab: LabArgs,
}

/// What a Linux guest boots.
#[derive(Debug, Args)]
pub struct GuestArgs {
    /// Boot this kernel (an ELF vmlinux or a bzImage) in Linux guests instead of the
    /// lab's own
    #[arg(long, value_name = "FILE")]
    pub guest_kernel: Option<PathBuf>,
    /// Give Linux guests this initrd instead of a tiny one
    #[arg(long, value_name = "FILE")]
    pub guest_initrd: Option<PathBuf>,
    /// More of the guest kernel's command line; what comes later wins
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub guest_cmdline: Option<String>,
}

/// What to do with the lab.
#[derive(Debug, Subcommand)]
pub enum Lab {
    /// Fetch, patch, configure and compile the lab's kernel
    Build(LabBuildArgs),
    /// `run --on lab`
    Run(RunArgs),
    /// A prompt inside, or a command of yours, whose exit code is then this one's
    Shell(ShellArgs),
}

/// Which kernel to build.
#[derive(Clone, Debug, Args)]
pub struct LabBuildArgs {
    /// The Linux version, such as 7.3 [default: the newest with a series]
    #[arg(long, value_name = "V")]
    pub kernel_version: Option<String>,
    /// A kernel source directory or tarball instead of Debian's package
    #[arg(long, value_name = "DIR|TARBALL")]
    pub kernel_src: Option<PathBuf>,
    /// Without our patches
    #[arg(long)]
    pub stock: bool,
    /// With KASAN, lockdep and the like
    #[arg(long)]
    pub debug: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// What to boot for a person.
#[derive(Debug, Args)]
pub struct ShellArgs {
    /// Boot this bzImage instead of ours
    #[arg(long, value_name = "BZIMAGE")]
    pub kernel: Option<PathBuf>,
    /// CPUs
    #[arg(long, value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(u64).range(1..=16))]
    pub cpus: u64,
    /// Memory, MiB
    #[arg(long, value_name = "MIB", default_value_t = 3072,
          value_parser = clap::value_parser!(u32).range(256..=65536))]
    pub memory: u32,
    /// Let the clock show real time instead of counting instructions: faster,
    /// and different each time
    #[arg(long)]
    pub real_time: bool,
    /// A directory to take along as /its-name; may be given more than once
    #[arg(long, value_name = "DIR")]
    pub with: Vec<PathBuf>,
    /// More of the kernel's command line
    #[arg(long, value_name = "PARAMETERS", default_value = "")]
    pub append: String,
    /// A program in the lab and its arguments, instead of a prompt
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// Whose memory to examine.
#[derive(Debug, Args)]
#[command(mut_arg("cpus", |arg| arg.help(
    "CPUs of the lab, comma-separated: each number is examined by itself [default: 1]"
)))]
pub struct AuditArgs {
    /// Where
    #[arg(long, value_enum, default_value = "host")]
    pub on: On,
    /// Also in every mode of each strategy
    #[arg(long)]
    pub all_modes: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// How the lab is to be
    #[command(flatten)]
    pub lab: LabArgs,
}

/// What to join.
#[derive(Debug, Args)]
pub struct MergeArgs {
    /// Directories that `run` made; NAME=DIR gives one another name than its own
    #[arg(required = true, num_args = 2.., value_name = "[NAME=]DIR")]
    pub runs: Vec<String>,
    /// The directory to create for the joined record
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

/// What to write for whom.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// A directory that `run` made
    pub dir: PathBuf,
    /// ktap, junit, gobench, bmf, gha, openmetrics or hlog
    #[arg(long)]
    pub format: String,
}

/// What to render.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// A directory that `run` made
    pub dir: PathBuf,
    /// html, md, text, csv or terminal
    #[arg(long, default_value = "terminal")]
    pub format: String,
}

/// How two runs are compared.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// What may move by how much: a TOML file, or PATTERN=PERCENT% for times, as in
    /// 'mmio/*=2%'; may be given more than once
    #[arg(long, value_name = "FILE|PATTERN=PERCENT%")]
    pub tolerance: Vec<String>,
    /// Compare although this differs: machine, kernel, settings, qemu, guest;
    /// comma-separated
    #[arg(long, value_delimiter = ',', value_name = "ASPECT")]
    pub across: Vec<Aspect>,
    /// Leave out what the second run was not meant to measure, instead of missing it
    #[arg(long)]
    pub partial: bool,
    /// terminal, html, md, text (for a mail), csv, json, or github (annotations of a job)
    #[arg(long, default_value = "terminal")]
    pub format: String,
}

/// What to show side by side.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// A run directory, or the name of a baseline
    pub a: PathBuf,
    /// Another
    pub b: PathBuf,
    /// How
    #[command(flatten)]
    pub compare: CompareArgs,
}

/// What to judge.
#[derive(Debug, Args)]
pub struct GateArgs {
    /// What to compare with: a run directory, or a name out of results/baselines.toml
    /// or results/recorded
    #[arg(long, value_name = "DIR|NAME")]
    pub baseline: PathBuf,
    /// The run directory to judge
    pub current: PathBuf,
    /// How
    #[command(flatten)]
    pub compare: CompareArgs,
    /// Afterwards copy CURRENT to this new directory, or to a new name in
    /// results/recorded; nothing is ever overwritten
    #[arg(long, value_name = "DIR|NAME")]
    pub update_baseline: Option<PathBuf>,
}

/// What to try out.
#[derive(Debug, Args)]
pub struct CalibrateArgs {
    /// Where to run; equal runs differ on the host only
    #[arg(long, value_enum, default_value = "host")]
    pub on: On,
    /// How many pairs of runs are gated
    #[arg(long, value_name = "N", default_value_t = 10,
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub gates: u32,
    /// Blocks of each run
    #[arg(long, value_name = "N", default_value_t = 15,
          value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub blocks: u32,
    /// Also slow runs down by this much, and see how often that is found
    #[arg(long, value_name = "PCT", allow_negative_numbers = true)]
    pub inject: Option<f64>,
    /// Only these strategies
    #[arg(long, value_delimiter = ',', value_name = "A,B", default_value = results::BASELINE)]
    pub strategies: Vec<String>,
    /// Only workloads that match; may be given more than once
    #[arg(long, value_name = "GLOB", num_args = 1.., default_values = ["calibrate/*", "mmio/user-read"])]
    pub workloads: Vec<String>,
    /// The seed of everything random
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// What may move by how much, as for gate
    #[arg(long, value_name = "FILE|PATTERN=PERCENT%")]
    pub tolerance: Vec<String>,
    /// Draw blocks out of this recorded run instead of measuring: what moves between
    /// runs is not in it, and a slowdown is arithmetic
    #[arg(long, value_name = "DIR|NAME")]
    pub from: Option<PathBuf>,
    /// The directory to create for the runs and calibration.json
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
