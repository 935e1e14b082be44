// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A system call that failed while guest memory was made.

use crate::Stage;
use std::io;

/// A system call that failed.
#[derive(Debug, thiserror::Error)]
#[error("{call}: {source}{}", hint.as_deref().map(|h| format!("; {h}")).unwrap_or_default())]
pub struct Error {
    /// The call with its arguments, as in
    /// `KVM_CREATE_GUEST_MEMFD(size=0x4000000, flags=0x3)`.
    pub call: String,
    /// What the kernel said.
    pub source: io::Error,
    /// Where: choosing a mode, or allocating.
    pub stage: Stage,
    /// What a user can do about it, where that is known.
    pub hint: Option<String>,
}

impl Error {
    /// `call` failed, and `errno` says why.
    pub(crate) fn last(call: impl Into<String>) -> Self {
        Self::new(call, io::Error::last_os_error())
    }

    /// `call` failed with `source`.
    pub(crate) fn new(call: impl Into<String>, source: io::Error) -> Self {
        Error {
            call: call.into(),
            source,
            stage: Stage::Allocate,
            hint: None,
        }
    }

    /// Says where.
    pub(crate) fn at(mut self, stage: Stage) -> Self {
        self.stage = stage;
        self
    }

    /// Adds what a user can do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
