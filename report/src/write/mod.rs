// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Writers: a document in one format each, with that format's limits. A writer knows blocks
//! and no section. To add one, write a file with a function of a document.

mod fit;
mod html;
mod markdown;
mod page;
mod syntax;
mod terminal;
mod text;

pub(crate) use html::html;
pub(crate) use markdown::{bare, markdown};
pub(crate) use terminal::terminal;
pub(crate) use text::text;
