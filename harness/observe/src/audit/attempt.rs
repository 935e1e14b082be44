// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What a reader is given, and what came of its attempt.

/// The size of a page.
pub(super) const PAGE: usize = 4096;

/// How many bytes the secret has.
pub(super) const SECRET: usize = 64;

/// What came of one reader's attempt on one page.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Attempt {
    /// It read these.
    Bytes([u8; SECRET]),
    /// The kernel refused: the call and its answer.
    Refused(String),
    /// It could not try: what it lacks, and the remedy.
    Unable(String),
}

/// An ordinary page of this process.
#[repr(C, align(4096))]
pub(super) struct Page(pub(super) [u8; PAGE]);

impl Page {
    pub(super) fn zeroed() -> Box<Self> {
        Box::new(Page([0; PAGE]))
    }
}
