// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The `unmapbench` command.
#![forbid(unsafe_code)]

use clap::Parser;
use harness::{cli::Cli, exit::Exit};
use std::process::ExitCode;

fn main() -> ExitCode {
    let exit = match Cli::try_parse() {
        Ok(cli) => harness::dispatch(cli),
        Err(e) => {
            let _ = e.print();
            match e.use_stderr() {
                true => Exit::Usage,
                false => Exit::Fine,
            }
        }
    };
    exit.into()
}
