// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `unmapbench merge`: runs of several machines or kernels as one record.

use crate::{
    cli::MergeArgs,
    exit::{Exit, Failure},
};
use results::{
    merge::{Label, Part, merge},
    store::{self, Recorder},
};
use std::path::{Path, PathBuf};

/// Reads every run twice, one at a time: first what says how the record begins, then
/// its rows.
pub(super) fn run(args: MergeArgs) -> anyhow::Result<Exit> {
    let runs: Vec<(Label, PathBuf)> = args.runs.iter().map(|word| named(word)).collect();
    let part = |(label, dir): &(Label, PathBuf)| {
        let run = store::read(dir).map_err(Failure::usage)?;
        Ok::<_, Failure>(Part::of(label.clone(), &run))
    };
    let parts: Vec<Part> = runs.iter().map(part).collect::<Result<_, _>>()?;
    let merged = merge(&parts).map_err(Failure::usage)?;
    let Some(mut header) = merged.header else {
        return Err(Failure::usage("no run to merge: name two or more").into());
    };
    header.tool = super::TOOL.into();
    header.git = super::GIT.into();
    header.command = super::run::command_line();
    let out = Recorder::create(&args.out, &header, &merged.plan, &merged.host);
    let mut out = out.map_err(Failure::usage)?;
    out.write_audits(&merged.audits).map_err(Failure::usage)?;
    for (label, dir) in &runs {
        for row in store::read(dir).map_err(Failure::usage)?.rows {
            let row = label.row(row).map_err(Failure::usage)?;
            out.append(&row).map_err(Failure::usage)?;
        }
    }
    super::print(&format!("{}\n", args.out.display()))?;
    Ok(Exit::Fine)
}

/// `NAME=DIR`, or a directory that is called as its run is to be.
fn named(word: &str) -> (Label, PathBuf) {
    match word.split_once('=') {
        Some((name, dir)) if !name.contains('/') => (Label(name.into()), dir.into()),
        _ => {
            let name = Path::new(word).file_name().unwrap_or_default();
            (Label(name.to_string_lossy().into_owned()), word.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_called_as_is_said_or_like_its_directory() {
        let check = |word: &str, name: &str, dir: &str| {
            assert_eq!(named(word), (Label(name.into()), PathBuf::from(dir)));
        };
        check("runs/epyc", "epyc", "runs/epyc");
        check("runs/epyc/", "epyc", "runs/epyc/");
        check("new=runs/epyc", "new", "runs/epyc");
        check("./a=b/run", "run", "./a=b/run");
        check("/", "", "/");
    }
}
