// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Tests that need a KVM. Each says what it ran on, or why it was skipped. With
//! UNMAPBENCH_REQUIRE_KVM=1 a skip is a failure, but for strategies that a machine like
//! this cannot have (`kvm_tests/absence.rs`).
#![expect(clippy::unwrap_used)]

mod kvm_tests;

use clap::Parser;
use harness::{
    cell::carry_out,
    job::{Answer, Job},
};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use std::process::ExitCode;
use strategies::{Strategy, registry};

fn main() -> ExitCode {
    // A cell may start its own program as the co-runner of its guest; here that is
    // this one.
    let words: Vec<String> = std::env::args().collect();
    if words.get(1).is_some_and(|word| word == "co-runner") {
        return harness::dispatch(harness::cli::Cli::parse()).into();
    }
    let mut args = Arguments::from_args();
    // Leaks are counted in this process, so nothing else may run in it.
    args.test_threads = Some(1);
    libtest_mimic::run(&args, trials()).exit_code()
}

fn trials() -> Vec<Trial> {
    let kvm = vmm::open_kvm().map(drop).map_err(|e| e.to_string());
    let required = std::env::var_os("UNMAPBENCH_REQUIRE_KVM").is_some();
    let mut trials = Vec::new();
    for (name, test) in kvm_tests::MACHINE {
        let kvm = kvm.clone();
        trials.push(Trial::ignorable_test(
            format!("machine::{name}"),
            move || match kvm {
                Err(why) if !required => Ok(Completion::ignored_with(why)),
                Err(why) => Err(why.into()),
                Ok(()) => test(),
            },
        ));
    }
    for strategy in registry::ALL {
        for (name, test) in kvm_tests::CONTRACT {
            let kvm = kvm.clone();
            let title = format!("contract::{}::{name}", strategy.name);
            trials.push(Trial::ignorable_test(title, move || match kvm {
                Err(why) if required => Err(why.into()),
                Err(why) => Ok(Completion::ignored_with(why)),
                Ok(()) => match on(strategy, *test)? {
                    Completion::Ignored { reason } if required => {
                        match kvm_tests::absence::of_strategy(strategy) {
                            true => Ok(Completion::Ignored { reason }),
                            false => Err(reason.unwrap_or_default().into()),
                        }
                    }
                    done => Ok(done),
                },
            }));
        }
    }
    trials
}

/// Runs `test` if `strategy` runs here at all.
fn on(strategy: &'static Strategy, test: kvm_tests::OnStrategy) -> Result<Completion, Failed> {
    let job = Job::Probe {
        strategy: strategy.name.to_string(),
    };
    match carry_out(&job) {
        Answer::Available => test(strategy).map(|()| Completion::Completed),
        Answer::Outcome(results::Outcome::Missing { reason, .. }) => {
            Ok(Completion::ignored_with(reason))
        }
        other => Err(format!("{other:?}").into()),
    }
}
