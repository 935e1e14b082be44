// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Host work: calls whose time goes into the kernel, on many pages that it reaches by its
//! direct map. What each call must give is known and checked.

use crate::{BadParameter, Parameters, TlbModel};
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

/// A page.
const PAGE: usize = layout::PAGE as usize;

/// Bytes of a read from the page cache.
const READ: usize = 64;

/// The sequence that files and pipes are filled with.
const SEED: u64 = 0xc04e;

/// What a file's inode and its name take in the kernel, bytes: of tmpfs about 720 and 192,
/// and the list of a directory.
const INODE: u64 = 1024;

/// Pages in each pipe, which has room for 16.
const PIPE_PAGES: u64 = 8;

/// More pipes would need more descriptors than a process gets by default.
const PIPES_MAX: u64 = 400;

/// More files would take longer to make than all else.
const FILES_MAX: u64 = 8192;

/// What the host's kernel does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Reads of 64 bytes, each of another page of a file that is in memory.
    PageCache,
    /// A page into one of many pipes, each half full, and a page out of it.
    Pipe,
    /// Asking for the state of one of many files by its name.
    Stat,
}

/// `count` samples of `batch` operations on `things` things, one after the other in random
/// order.
#[derive(Clone, Copy, Debug)]
pub(super) struct HostWork {
    kind: Kind,
    things: u64,
    count: u64,
    batch: u64,
}

impl HostWork {
    /// Work on as many things as `footprint_mib` has room for.
    pub(super) fn new(params: &Parameters<'_>) -> Result<Self, BadParameter> {
        let kinds = [
            ("page-cache", Kind::PageCache),
            ("pipe", Kind::Pipe),
            ("stat", Kind::Stat),
        ];
        let kind = params.word("work", &kinds)?;
        let bytes = params.number("footprint_mib", 1..=1024)? << 20;
        Ok(HostWork {
            kind,
            things: match kind {
                Kind::PageCache => bytes / layout::PAGE,
                Kind::Pipe => (bytes / (PIPE_PAGES * layout::PAGE)).min(PIPES_MAX),
                Kind::Stat => (bytes / INODE).min(FILES_MAX),
            },
            count: params.number("count", 1..=1000)?,
            batch: params.number("batch", 1..=1 << 20)?,
        })
    }

    /// How many operations a sample covers.
    pub(super) fn batch(&self) -> u64 {
        self.batch
    }

    /// Makes everything that is worked on afresh, works, and takes it away: the ticks of
    /// each sample, and what the lab's model counted in them.
    ///
    /// # Errors
    /// What the kernel refused, or that a call gave what it must not.
    pub(super) fn measure(&self, model: &TlbModel) -> io::Result<(Vec<u64>, Counters)> {
        let mut objects = Objects::new(self.kind, self.things)?;
        let order = Order::new(SEED, self.things);
        let order: Vec<usize> = (0..self.things).map(|i| order.at(i) as usize).collect();
        let mut things = order.iter().cycle();
        // Every thing once, so that nothing is measured that only the first use costs.
        for thing in &order {
            objects.once(*thing)?;
        }
        let mut sample = || {
            let mut watch = Stopwatch::start();
            for thing in things.by_ref().take(self.batch as usize) {
                objects.once(*thing)?;
            }
            Ok(watch.lap())
        };
        let window = model.begin();
        let ticks = (0..self.count).map(|_| sample()).collect::<io::Result<_>>();
        let counted = window.end();
        Ok((ticks?, counted))
    }
}

/// Everything that the work is done on.
enum Objects {
    /// A file in memory.
    Cache(File),
    /// Pipes, and which pages each holds, oldest first.
    Pipes(Vec<(File, File, VecDeque<u64>)>),
    /// Files without content, and the directory that goes with them.
    Files(Vec<(PathBuf, u64)>, #[expect(dead_code)] tempfile::TempDir),
}

impl Objects {
    fn new(kind: Kind, things: u64) -> io::Result<Self> {
        match kind {
            Kind::PageCache => {
                let mut file = File::from(memfd_create("unmapbench", MemfdFlags::CLOEXEC)?);
                for i in 0..things {
                    file.write_all(&page(i))?;
                }
                Ok(Objects::Cache(file))
            }
            Kind::Pipe => {
                let pipe = |_| {
                    let (from, into) = pipe_with(PipeFlags::CLOEXEC)?;
                    let (from, mut into) = (File::from(from), File::from(into));
                    let held: VecDeque<u64> = (0..PIPE_PAGES).collect();
                    for i in &held {
                        into.write_all(&page(*i))?;
                    }
                    Ok((from, into, held))
                };
                Ok(Objects::Pipes(
                    (0..things).map(pipe).collect::<io::Result<_>>()?,
                ))
            }
            Kind::Stat => {
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
                Ok(Objects::Files(files, dir))
            }
        }
    }

    /// One operation on `thing`.
    fn once(&mut self, thing: usize) -> io::Result<()> {
        let right = match self {
            Objects::Cache(file) => {
                let mut bytes = [0; READ];
                file.read_exact_at(&mut bytes, (thing * PAGE) as u64)?;
                bytes[..8] == word(thing as u64)
            }
            Objects::Pipes(pipes) => {
                let (from, into, held) = &mut pipes[thing];
                let next = held.back().map_or(0, |last| last + 1);
                into.write_all(&page(next))?;
                held.push_back(next);
                let mut bytes = [0; PAGE];
                from.read_exact(&mut bytes)?;
                held.pop_front().is_some_and(|i| bytes[..8] == word(i))
            }
            Objects::Files(files, _) => {
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
        for kind in [Kind::PageCache, Kind::Pipe, Kind::Stat] {
            let mut objects = Objects::new(kind, 5).unwrap();
            for thing in [0, 4, 4, 2] {
                objects.once(thing).unwrap();
            }
            let spoilt = match &mut objects {
                Objects::Cache(file) => file.write_all_at(&[0; 8], 3 * PAGE as u64),
                Objects::Pipes(pipes) => {
                    pipes[3].2[0] += 1;
                    Ok(())
                }
                Objects::Files(files, _) => fs::rename(&files[2].0, &files[3].0),
            };
            spoilt.unwrap();
            assert!(
                objects
                    .once(3)
                    .unwrap_err()
                    .to_string()
                    .contains("number 3")
            );
        }
    }
}
