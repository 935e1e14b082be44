// SPDX-License-Identifier: Apache-2.0 OR MIT
//! How a kernel refuses a strategy.

/// Where a kernel refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Choosing how KVM reaches the memory.
    Mode,
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
