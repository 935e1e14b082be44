// SPDX-License-Identifier: Apache-2.0 OR MIT
//! An arm: a strategy in one of its modes. It is what is compared, and all that depends
//! on both is asked of it.

use crate::{Claims, Error, GuestRam, Mode, Refusal, Strategy, registry};
use kvm_ioctls::VmFd;
use results::{Missing, cell::Params};
use std::fmt;

/// A strategy in one of its modes, which is valid.
#[derive(Clone, Debug)]
pub struct Arm {
    strategy: &'static Strategy,
    mode: Mode,
}

impl Arm {
    /// `strategy` with its defaults.
    pub fn of(strategy: &'static Strategy) -> Self {
        let mode = Mode::default();
        Arm { strategy, mode }
    }

    /// `strategy` with the parameters that `params` name, and its defaults for others.
    ///
    /// # Errors
    /// Why there is no such mode, one line.
    pub fn new(strategy: &'static Strategy, params: &Params) -> Result<Self, String> {
        let mode = Mode::parse(strategy.parameters, params);
        let mode = mode.map_err(|why| format!("{}: {why}", strategy.name))?;
        let arm = Arm { strategy, mode };
        match (strategy.refuse)(&arm.mode) {
            Some(why) => Err(format!("{arm}: {why}")),
            None => Ok(arm),
        }
    }

    /// The arm that a record names.
    ///
    /// # Errors
    /// Why there is none, one line.
    pub fn named(strategy: &str, mode: &Params) -> Result<Self, String> {
        let found = registry::find(strategy);
        Arm::new(
            found.ok_or_else(|| format!("no strategy is called {strategy:?}"))?,
            mode,
        )
    }

    /// Every arm of `strategy`, the one with its defaults first.
    pub fn all(strategy: &'static Strategy) -> Vec<Self> {
        let mut modes = Mode::all(strategy.parameters);
        modes.retain(|mode| (strategy.refuse)(mode).is_none());
        let arm = |mode| Arm { strategy, mode };
        modes.into_iter().map(arm).collect()
    }

    /// The strategy.
    pub fn strategy(&self) -> &'static Strategy {
        self.strategy
    }

    /// The mode.
    pub fn mode(&self) -> &Mode {
        &self.mode
    }

    /// What it claims.
    pub fn claims(&self) -> Claims {
        (self.strategy.claims)(&self.mode)
    }

    /// Memory of `len` bytes, zero-filled, for `vm`, which has no vCPU yet. The memory
    /// must outlive every memslot made of it.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn allocate(&self, vm: &VmFd, len: u64) -> Result<GuestRam, Error> {
        (self.strategy.allocate)(vm, len, &self.mode)
    }

    /// What it means that this kernel refuses it.
    pub fn explain(&self, refusal: &Refusal) -> Missing {
        (self.strategy.explain)(&self.mode, refusal).with_errno(refusal.errno)
    }
}

impl PartialEq for Arm {
    fn eq(&self, other: &Self) -> bool {
        (self.strategy.name, &self.mode) == (other.strategy.name, &other.mode)
    }
}

impl fmt::Display for Arm {
    /// `guest-memfd-reinsert flush=none`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.strategy.name)?;
        let mode = self.mode.params();
        mode.iter()
            .try_for_each(|(name, value)| write!(f, " {name}={value}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        PageSize, Parameter,
        parameter::{Setting, setting},
        strategy,
    };
    use results::cell::ParamValue;

    setting! {
        /// Of a strategy that there is not.
        Colour, "colour", "the colour", {
            Red = "red", "the default";
            Blue = "blue", "another";
        }
    }

    setting! {
        /// The same.
        Shape, "shape", "the shape", {
            Round = "round", "the default";
            Square = "square", "another";
        }
    }

    const PARAMETERS: [&Parameter; 2] = [Colour::PARAMETER, Shape::PARAMETER];

    static PAINTED: Strategy = Strategy {
        name: "painted",
        about: "",
        differs_from: None,
        page_size: PageSize::Base,
        parameters: &PARAMETERS,
        refuse: |mode| match (mode.get(), mode.get()) {
            (Colour::Blue, Shape::Square) => Some("a blue square means nothing"),
            _ => None,
        },
        claims: |_| Claims::ORDINARY,
        allocate: |_, _, _| Err(Error::new("none", std::io::ErrorKind::Unsupported.into())),
        explain: strategy::plain,
    };

    fn params(pairs: &[(&str, &str)]) -> Params {
        let text = |(k, v): &(&str, &str)| (k.to_string(), ParamValue::Text(v.to_string()));
        pairs.iter().map(text).collect()
    }

    #[test]
    fn a_mode_that_means_nothing_is_refused() {
        let new = |pairs: &[(&str, &str)]| Arm::new(&PAINTED, &params(pairs));
        let check = |pairs: &[(&str, &str)], expected: &str| {
            assert_eq!(new(pairs).unwrap_err(), expected);
        };
        check(&[("size", "big")], "painted: no parameter \"size\"");
        check(
            &[("colour", "pink")],
            "painted: colour is red or blue, not \"pink\"",
        );
        let both = [("colour", "blue"), ("shape", "square")];
        check(
            &both,
            "painted colour=blue shape=square: a blue square means nothing",
        );
        let names: Vec<_> = Arm::all(&PAINTED).iter().map(Arm::to_string).collect();
        assert_eq!(
            names,
            ["painted", "painted colour=blue", "painted shape=square"]
        );
    }

    #[test]
    fn a_default_that_is_spelled_out_makes_no_other_mode() {
        let arm = Arm::new(&PAINTED, &params(&[("colour", "red"), ("shape", "square")])).unwrap();
        assert_eq!(arm.mode().params(), params(&[("shape", "square")]));
        assert_eq!(
            (arm.mode().get::<Colour>(), arm.mode().get::<Shape>()),
            (Colour::Red, Shape::Square)
        );
        assert_ne!(arm, Arm::of(&PAINTED));
        assert_eq!(
            Arm::new(&PAINTED, &params(&[("colour", "red")])),
            Ok(Arm::of(&PAINTED))
        );
    }

    #[test]
    fn a_refusal_keeps_its_errno() {
        let refusal = Refusal {
            stage: crate::Stage::Run,
            errno: Some(libc::EFAULT),
            seen: "KVM_RUN".into(),
        };
        assert_eq!(
            Arm::of(&PAINTED).explain(&refusal).errno,
            Some(libc::EFAULT)
        );
    }
}
