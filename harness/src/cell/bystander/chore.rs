// SPDX-License-Identifier: Apache-2.0 OR MIT
//! The host's work: calls whose time goes into the kernel, on many pages that it
//! reaches by its direct map. What each call must give is known and checked.

use crate::cell::tlb_model::TlbModel;
use abi::{Order, layout, value};
use results::record::Counters;
use rustix::{
    fs::{MemfdFlags, memfd_create},
    pipe::{PipeFlags, pipe_with},
};
use std::{
    collections::VecDeque,
    fs::{self, File},
    io::{self, Read, Write},
    os::unix::fs::{FileExt, MetadataExt},
    path::PathBuf,
};
use vmm::clock::Stopwatch;
use workloads::{HostWork, Victim};

/// A page.
const PAGE: usize = layout::PAGE as usize;

/// Bytes of a read from the page cache.
const READ: usize = 64;

/// The sequence that files and pipes are filled with.
const SEED: u64 = 0xc04e;

/// Everything that the work is done on.
enum Chore {
    /// A file in memory.
    Cache(File),
    /// Pipes, and which pages each holds, oldest first.
    Pipes(Vec<(File, File, VecDeque<u64>)>),
    /// Files without content, and the directory that goes with them.
    Files(Vec<(PathBuf, u64)>, #[expect(dead_code)] tempfile::TempDir),
}

/// Makes everything that `victim` works on afresh, works, and takes it away: the
/// ticks of each sample, and what the lab's model counted in them.
///
/// # Errors
/// What the kernel refused, or that a call gave what it must not.
pub(super) fn measure(victim: &Victim, model: &TlbModel) -> io::Result<(Vec<u64>, Counters)> {
    let mut chore = Chore::new(victim.work, victim.things)?;
    let order = Order::new(SEED, victim.things);
    let order: Vec<usize> = (0..victim.things).map(|i| order.at(i) as usize).collect();
    let mut things = order.iter().cycle();
    // Every thing once, so that nothing is measured that only the first use costs.
    for thing in &order {
        chore.once(*thing)?;
    }
    let mut sample = || {
        let mut watch = Stopwatch::start();
        for thing in things.by_ref().take(victim.batch as usize) {
            chore.once(*thing)?;
        }
        Ok(watch.lap())
    };
    let modelled = model.begin();
    let ticks = (0..victim.count)
        .map(|_| sample())
        .collect::<io::Result<_>>();
    let counted = modelled.end();
    Ok((ticks?, counted))
}

impl Chore {
    fn new(work: HostWork, things: u64) -> io::Result<Self> {
        match work {
            HostWork::PageCache => {
                let mut file = File::from(memfd_create("unmapbench", MemfdFlags::CLOEXEC)?);
                for i in 0..things {
                    file.write_all(&page(i))?;
                }
                Ok(Chore::Cache(file))
            }
            HostWork::Pipe => {
                let pipe = |_| {
                    let (from, into) = pipe_with(PipeFlags::CLOEXEC)?;
                    let (from, mut into) = (File::from(from), File::from(into));
                    let held: VecDeque<u64> = (0..HostWork::PIPE_PAGES).collect();
                    for i in &held {
                        into.write_all(&page(*i))?;
                    }
                    Ok((from, into, held))
                };
                Ok(Chore::Pipes(
                    (0..things).map(pipe).collect::<io::Result<_>>()?,
                ))
            }
            HostWork::Stat => {
                let dir = match fs::metadata(SHARED_MEMORY) {
                    Ok(_) => tempfile::tempdir_in(SHARED_MEMORY)?,
                    Err(_) => tempfile::tempdir()?,
                };
                let file = |i| {
                    let path = dir.path().join(format!("{i:05}"));
                    let inode = File::create_new(&path)?.metadata()?.ino();
                    Ok((path, inode))
                };
                let files = (0..things).map(file).collect::<io::Result<_>>()?;
                Ok(Chore::Files(files, dir))
            }
        }
    }

    /// One operation on `thing`.
    fn once(&mut self, thing: usize) -> io::Result<()> {
        let right = match self {
            Chore::Cache(file) => {
                let mut bytes = [0; READ];
                file.read_exact_at(&mut bytes, (thing * PAGE) as u64)?;
                bytes[..8] == word(thing as u64)
            }
            Chore::Pipes(pipes) => {
                let (from, into, held) = &mut pipes[thing];
                let next = held.back().map_or(0, |last| last + 1);
                into.write_all(&page(next))?;
                held.push_back(next);
                let mut bytes = [0; PAGE];
                from.read_exact(&mut bytes)?;
                held.pop_front().is_some_and(|i| bytes[..8] == word(i))
            }
            Chore::Files(files, _) => {
                let (path, inode) = &files[thing];
                fs::symlink_metadata(path)?.ino() == *inode
            }
        };
        match right {
            true => Ok(()),
            false => Err(io::Error::other(format!(
                "number {thing} is not what was put there"
            ))),
        }
    }
}

/// Where files take no disk, if the machine has such a place.
const SHARED_MEMORY: &str = "/dev/shm";

/// A page that says which one it is.
fn page(i: u64) -> [u8; PAGE] {
    let mut page = [0; PAGE];
    page[..8].copy_from_slice(&word(i));
    page
}

/// What page `i` begins with.
fn word(i: u64) -> [u8; 8] {
    value(SEED, i).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_work_is_done_and_checked() {
        for work in [HostWork::PageCache, HostWork::Pipe, HostWork::Stat] {
            let mut chore = Chore::new(work, 5).unwrap();
            for thing in [0, 4, 4, 2] {
                chore.once(thing).unwrap();
            }
            let spoilt = match &mut chore {
                Chore::Cache(file) => file.write_all_at(&[0; 8], 3 * PAGE as u64),
                Chore::Pipes(pipes) => {
                    pipes[3].2[0] += 1;
                    Ok(())
                }
                Chore::Files(files, _) => fs::rename(&files[2].0, &files[3].0),
            };
            spoilt.unwrap();
            assert!(chore.once(3).unwrap_err().to_string().contains("number 3"));
        }
    }
}
