// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Whole documents made from runs built in code: `golden` compares them with
//! files, `promises` holds what must be true of any.

mod accessible;
mod disk;
mod exports;
mod figures;
mod golden;
mod promises;
mod runs;
mod strange;
mod tlb;
mod tree;
mod verdicts;
