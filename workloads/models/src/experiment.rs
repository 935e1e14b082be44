// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A model, and the experiment that it makes of parameters.

use crate::{BadParameter, CellContext, CellError, Needs, Parameters};
use results::{Outcome, cell::Params};
use std::fmt::Debug;

/// A model with its parameters, ready to be carried out in a cell.
pub trait Experiment: Debug {
    /// The machine that it needs.
    fn needs(&self) -> Needs;

    /// Measures, and verifies what was measured.
    ///
    /// # Errors
    /// Why there are no samples.
    fn run(&self, context: &CellContext<'_>) -> Result<Outcome, CellError>;

    /// Whether it can be carried out without what makes KVM take the path that the workload
    /// is named for. Then its verification must fail.
    fn has_negative_control(&self) -> bool {
        false
    }
}

/// Makes an experiment of parameters.
pub type Prepare = fn(&Parameters<'_>) -> Result<Box<dyn Experiment>, BadParameter>;

/// What a workload does. A definition names one.
#[derive(Debug)]
pub struct Model {
    /// Its name in definitions, such as `mmio-read`.
    pub name: &'static str,
    /// The series of a workload that consists of steps, in order; empty for any other.
    pub phases: &'static [&'static str],
    /// Whether it boots a Linux guest, and so takes its kernel.
    pub boots_linux: bool,
    prepare: Prepare,
}

impl Model {
    pub(crate) const fn new(name: &'static str, prepare: Prepare) -> Self {
        Model {
            name,
            phases: &[],
            boots_linux: false,
            prepare,
        }
    }

    pub(crate) const fn of_phases(self, phases: &'static [&'static str]) -> Self {
        Model { phases, ..self }
    }

    pub(crate) const fn booting_linux(self) -> Self {
        Model {
            boots_linux: true,
            ..self
        }
    }

    /// The model with these parameters.
    ///
    /// # Errors
    /// The first parameter that is missing, unknown or will not do.
    pub fn experiment(&self, params: &Params) -> Result<Box<dyn Experiment>, BadParameter> {
        let params = Parameters::new(params);
        let experiment = (self.prepare)(&params)?;
        params.finish()?;
        Ok(experiment)
    }
}

impl PartialEq for Model {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Model {}
