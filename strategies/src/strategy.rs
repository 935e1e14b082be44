// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a strategy is.

use crate::{Error, GuestRam};
use kvm_ioctls::VmFd;
use std::collections::BTreeMap;

/// The page size a strategy promises for guest memory in the host's page
/// tables. It is checked in every cell: an arm that got another page size
/// would measure page size and call it isolation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageSize {
    /// 4 KiB only.
    Base,
    /// 2 MiB wherever an aligned 2 MiB of memory was touched.
    Huge,
}

/// A guest-memory strategy.
pub struct Strategy {
    /// The name on the command line and in records.
    pub name: &'static str,
    /// One line for a person: backing, page size, direct map, access path.
    pub about: &'static str,
    /// Whether it claims that the host kernel's direct map has no entry for
    /// guest memory. The claim is proved before it is reported.
    pub isolating: bool,
    /// The strategy that it differs from in the fewest things: in being hidden, in how
    /// KVM reaches it, in the page size or in what is behind it. `None` for the baseline.
    pub differs_from: Option<&'static str>,
    /// The page size it promises.
    pub page_size: PageSize,
    /// What KVM's statistics show while the strategy is at work.
    pub counted: Counted,
    /// Its own parameters.
    pub parameters: &'static [Parameter],
    /// Memory of `len` bytes, zero-filled, for `vm`, which has no vCPU yet. The
    /// memory must outlive every memslot made of it. `mode` has passed
    /// [`Strategy::check`].
    pub allocate: fn(vm: &VmFd, len: u64, mode: &Mode) -> Result<GuestRam, Error>,
    /// What it means when this kernel refuses the strategy at some stage.
    pub explain: fn(&Refusal) -> Missing,
}

/// Evidence of a strategy in KVM's statistics, checked in every cell in which
/// it must show: a strategy that quietly did without would be measured as what
/// it is not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Each first touch zaps a page from the direct map: `direct_map_zaps`.
    pub zaps: bool,
    /// KVM's own accesses reinsert pages: `direct_map_reinserts`.
    pub reinserts: bool,
}

impl Counted {
    /// Nothing special shows.
    pub(crate) const NOTHING: Counted = Counted {
        zaps: false,
        reinserts: false,
    };
}

/// A parameter of a strategy: an ablation of it, never another strategy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// The name in records.
    pub name: &'static str,
    /// Its values, the default first.
    pub values: &'static [&'static str],
    /// One line for a person.
    pub about: &'static str,
}

/// Values of a strategy's parameters; what is absent has its default.
pub type Mode = BTreeMap<String, String>;

impl Strategy {
    /// Every combination of its parameters, the default (empty) mode first.
    pub fn modes(&self) -> Vec<Mode> {
        let mut modes = vec![Mode::new()];
        for parameter in self.parameters {
            let with = |mode: &Mode, value: &&str| {
                let mut mode = mode.clone();
                mode.insert(parameter.name.to_string(), value.to_string());
                mode
            };
            let others = parameter.values.iter().skip(1);
            let more: Vec<_> = others
                .flat_map(|v| modes.iter().map(|m| with(m, v)).collect::<Vec<_>>())
                .collect();
            modes.extend(more);
        }
        modes
    }

    /// Whether `mode` names only parameters and values that there are.
    ///
    /// # Errors
    /// What is wrong, one line.
    pub fn check(&self, mode: &Mode) -> Result<(), String> {
        for (name, value) in mode {
            let parameter = self.parameters.iter().find(|p| p.name == name);
            let parameter = parameter.ok_or(format!("{} has no parameter {name:?}", self.name))?;
            if !parameter.values.contains(&value.as_str()) {
                return Err(format!(
                    "{}: {name} is {}, not {value:?}",
                    self.name,
                    parameter.values.join(" or ")
                ));
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for Strategy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Strategy").field(&self.name).finish()
    }
}

/// Where a trial stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Allocating or mapping the memory.
    Allocate,
    /// Making a memslot of it.
    Memslot,
    /// The first access from the host: a signal killed the process.
    Touch,
    /// KVM_RUN returned an error.
    Run,
    /// It runs, but not with the page size it promises.
    PageSize,
}

/// How a kernel refused a strategy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Where.
    pub stage: Stage,
    /// The kernel's errno, where there was one.
    pub errno: Option<i32>,
    /// What was seen, one line: the call and the kernel's answer.
    pub seen: String,
}

/// An ability that this machine lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// What is missing, with what was seen.
    pub reason: String,
    /// What would provide it.
    pub remedy: String,
}

impl Missing {
    pub(crate) fn new(reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Missing {
            reason: reason.into(),
            remedy: remedy.into(),
        }
    }

    /// The explanation of a refusal that the strategy knows nothing special
    /// about.
    pub(crate) fn plain(refusal: &Refusal) -> Self {
        Self::new(
            refusal.seen.clone(),
            "this strategy runs on any stock kernel: see the kernel log for why this one refuses",
        )
    }
}
