// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Workload models. A model is a file in `model/`: its parameters, the machine that it
//! needs, what is prepared, what the guest or the host does, and what shows that it was
//! done. The build script finds the file, and a definition names the model.
//!
//! A model that asks the guest for something implements `GuestRequests`, and has the
//! rehearsal, the measurement and the usual checks from there. A model that does something
//! else implements [`Experiment`].
//!
//! Nothing here knows a definition, a plan or a process: a cell is measured in the process
//! that asks for it.
#![forbid(unsafe_code)]

mod needs;
mod parameters;

mod context;
mod error;
mod programs;
mod scale;

pub mod guard;
pub mod tlb_model;

mod counting;
mod evidence;
mod experiment;
mod request;

mod console;
mod linux_guest;

mod model {
    //! One file for each model, or for a few that are alike. `MODELS` is what it offers.
    include!(concat!(env!("OUT_DIR"), "/modules.rs"));
    include!(concat!(env!("OUT_DIR"), "/all.rs"));
    pub use interference::rounds;
}

mod measure;
mod registry;

pub use context::{CellContext, Conditions, FaultInjection};
pub use error::CellError;
pub use experiment::{Experiment, Model, Prepare};
pub use linux_guest::LinuxGuest;
pub use measure::{Measured, measure};
pub use model::rounds;
pub use needs::{Needs, Size};
pub use parameters::{BadParameter, Parameters};
pub use programs::{INIT, PAYLOAD};
pub use registry::{all, find};
pub(crate) use request::GuestRequests;
pub use tlb_model::TlbModel;
