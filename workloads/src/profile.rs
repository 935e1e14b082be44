// SPDX-License-Identifier: Apache-2.0 OR MIT
//! How much to run.

use crate::Error;
use std::str::FromStr;

/// A profile fixes the number of blocks before anything is looked at, and
/// picks the parameters that a definition has for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Profile {
    /// 15 blocks, small parameters: a minute.
    #[default]
    Quick,
    /// 30 blocks, all parameters.
    Report,
    /// 50 blocks, all parameters: for what is published.
    Full,
}

impl Profile {
    /// Every profile.
    pub const ALL: [Profile; 3] = [Profile::Quick, Profile::Report, Profile::Full];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Profile::Quick => "quick",
            Profile::Report => "report",
            Profile::Full => "full",
        }
    }

    /// How many blocks count, the warm-up not among them. With a block noise
    /// of 2 % they resolve 2.0 %, 1.3 % and 1.0 % (80 % power, α = 0.01).
    pub fn blocks(self) -> u32 {
        match self {
            Profile::Quick => 15,
            Profile::Report => 30,
            Profile::Full => 50,
        }
    }
}

impl FromStr for Profile {
    type Err = Error;

    /// Its name, or `list`, as the profile `full` was called before.
    fn from_str(s: &str) -> Result<Self, Error> {
        let s = if s == "list" { "full" } else { s };
        let found = Profile::ALL.into_iter().find(|p| p.name() == s);
        found.ok_or_else(|| Error::Profile(s.to_string()))
    }
}
