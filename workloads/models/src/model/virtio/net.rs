// SPDX-License-Identifier: Apache-2.0 OR MIT
//! `count` times `depth` frames of `bytes` each to a network device and back.

use super::{
    block::no_device,
    driver::Driver,
    served::{Count, QUEUE_NOTIFY, Served},
};
use crate::{
    BadParameter, CellContext, CellError, GuestRequests, Needs, Parameters,
    evidence::Evidence,
    request::{LeftOut, Requests},
};
use abi::{Args, Op, Request};
use results::record::Counters;
use std::io;
use vmm::{
    Device, Machine,
    virtio::{Net, PacketSocket, Vhost},
};

#[derive(Debug)]
pub(super) struct Sending {
    driver: Driver,
    wire: Wire,
}

/// By which way a frame comes back to its sender.
#[derive(Clone, Copy, Debug)]
enum Wire {
    /// The VMM copies it, at an exit.
    Loop,
    /// vhost-net in the kernel, which has threads of its own, sends and receives it on the
    /// loopback interface.
    Vhost,
}

/// A device by its wire.
pub(super) enum Fixture {
    Loop(Served<Net>),
    Vhost(Served<Vhost>),
}

impl Sending {
    pub(super) fn new(params: &Parameters<'_>) -> Result<Self, BadParameter> {
        let bytes = params.number("bytes", 64..=1514)?;
        let swiotlb = params.word("bounce", &[("none", false), ("swiotlb", true)])?;
        Ok(Sending {
            wire: params.word("backend", &[("loop", Wire::Loop), ("vhost", Wire::Vhost)])?,
            // A frame crosses when it is sent and when it is received.
            driver: Driver::new(params, bytes, swiotlb, 2)?,
        })
    }
}

impl GuestRequests for Sending {
    type Fixture = Option<Fixture>;

    fn needs(&self) -> Needs {
        self.driver.needs()
    }

    fn requests(&self) -> Requests {
        self.driver.requests(Op::Net, Args::default())
    }

    fn prepare(
        &self,
        machine: &mut Machine,
        context: &CellContext<'_>,
    ) -> Result<Self::Fixture, CellError> {
        let line = self.driver.interrupt_line(machine)?;
        Ok(Some(match self.wire {
            Wire::Loop => Fixture::Loop(Served::new(Net::default(), line, machine)?),
            Wire::Vhost => {
                let wire = PacketSocket::on_loopback(context.lab())
                    .map_err(|e| lacking("a packet socket on the loopback interface", &e))?;
                let vhost = Vhost::new(machine.memory(), wire, line)
                    .map_err(|e| lacking("/dev/vhost-net", &e))?;
                for (queue, data) in [(0, 0), (1, 1)] {
                    if let Some(kick) = vhost.kick(queue) {
                        machine.register_ioeventfd(QUEUE_NOTIFY, data, kick)?;
                    }
                }
                Fixture::Vhost(Served::new(vhost, None, machine)?)
            }
        }))
    }

    fn device(&self, request: &Request, fixture: &Self::Fixture) -> Device {
        let shared = fixture.as_ref().map(|fixture| match fixture {
            Fixture::Loop(served) => served.shared(),
            Fixture::Vhost(served) => served.shared(),
        });
        Device::new(request.args.seed).with_virtio(shared)
    }

    fn operations_per_sample(&self) -> u64 {
        self.driver.depth()
    }

    fn verify(
        &self,
        evidence: &Evidence<'_>,
        fixture: &Self::Fixture,
    ) -> Result<Counters, CellError> {
        let count = match fixture.as_ref().ok_or_else(no_device)? {
            Fixture::Loop(served) => looped(served)?,
            Fixture::Vhost(served) => by_vhost(served)?,
        };
        self.driver.verify(evidence, count)
    }

    fn left_out(&self) -> Option<LeftOut> {
        Some(LeftOut::Preparation)
    }
}

fn lacking(what: &str, error: &io::Error) -> CellError {
    CellError::missing(
        format!("{what} is not available ({error})"),
        "a kernel with CONFIG_VHOST_NET and CONFIG_PACKET, and root",
    )
    .with_errno(error.raw_os_error())
}

/// What the device counted since it was last asked.
fn looped(served: &Served<Net>) -> Result<Count, CellError> {
    let transport = served.intact()?;
    let net = transport.device();
    Ok(served.since_last(Count {
        requests: net.frames(),
        moved: net.moved(),
        copied: net.moved(),
        notified: transport.notified(),
        interrupts: transport.interrupts(),
        elsewhere: false,
    }))
}

/// The same of vhost, whose socket forgets what it has told.
fn by_vhost(served: &Served<Vhost>) -> Result<Count, CellError> {
    let transport = served.intact()?;
    let received = transport.device().wire().received();
    let (frames, lost) = received.map_err(|e| format!("counting frames: {e}"))?;
    Ok(Count {
        requests: frames - lost.min(frames),
        elsewhere: true,
        ..Count::default()
    })
}
