// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Loading a kernel, its initrd, its command line and the tables that it reads.

use super::{
    layout, mptable,
    start::{self, Entry},
    zero_page::{self, Places},
};
use crate::{
    Error, Memory,
    linux::{Config, Files, Kind, Source},
};
use linux_loader::{
    configurator::{BootConfigurator, BootParams, linux::LinuxBootConfigurator},
    loader::{BzImage, Elf, KernelLoader, bootparam::setup_header},
};
use vm_memory::{Bytes, GuestAddress};

/// The most of a command line that a kernel takes which does not say (x86's
/// COMMAND_LINE_SIZE, less the zero at its end).
const CMDLINE_MAX: u32 = 2047;
/// The highest byte of an initrd for a kernel that does not say.
const INITRD_HIGHEST: u64 = 0x7fff_ffff;
/// Where the 64-bit entry of a bzImage lies in what is loaded of it.
const ENTRY_64: u64 = 0x200;

/// Puts everything into memory; returns where it begins.
pub(crate) fn load(memory: &Memory, config: &Config, files: Files<'_>) -> Result<Entry, Error> {
    let Files {
        kernel,
        kind,
        initrd,
        cmdline,
        ..
    } = files;
    let high = GuestAddress(layout::HIGH);
    let loaded = match kind {
        Kind::Elf => Elf::load(memory, None, kernel, Some(high)),
        Kind::BzImage => BzImage::load(memory, None, kernel, Some(high)),
    };
    let loaded = loaded.map_err(|e| refused(kernel, || e.into()))?;
    let header = loaded.setup_header;
    let start = loaded.kernel_load.0;
    // A bzImage is entered at a fixed place, and unpacks to where it would rather be.
    let (file, kernel, end) = match header {
        None => (start, start, loaded.kernel_end),
        Some(h) => {
            let unpacked = h.pref_address;
            let end = unpacked.saturating_add(h.init_size.into());
            (start + ENTRY_64, unpacked, loaded.kernel_end.max(end))
        }
    };
    if end > config.memory {
        return Err(Error::Config(format!(
            "a kernel that ends at {} MiB does not fit into {} MiB of memory: choose a larger mem_mib",
            end.div_ceil(1 << 20),
            config.memory >> 20
        )));
    }

    let highest = header.map_or(INITRD_HIGHEST, |h: setup_header| h.initrd_addr_max.into());
    let len = initrd.len();
    let at = layout::initrd(len, config.memory, end, highest)?;
    let read = memory.read_exact_volatile_from(GuestAddress(at), initrd, len as usize);
    read.map_err(|e| refused(initrd, || Error::Kernel(format!("loading the initrd: {e}"))))?;

    let most = header.map_or(CMDLINE_MAX, |h| h.cmdline_size);
    if cmdline.len() > most as usize || cmdline.contains('\0') {
        return Err(Error::Config(format!(
            "a command line of {} bytes: this kernel takes {most}, and no zero among them; shorten --guest-cmdline",
            cmdline.len()
        )));
    }
    let mut text = cmdline.as_bytes().to_vec();
    text.push(0);
    write(memory, layout::CMDLINE, &text)?;

    let params = zero_page::build(
        header,
        &Places {
            memory: config.memory,
            initrd: at..at + len,
            cmdline: cmdline.len() as u32,
        },
    );
    let params = BootParams::new(&params, GuestAddress(layout::ZERO_PAGE));
    LinuxBootConfigurator::write_bootparams(&params, memory)
        .map_err(|e| Error::Kernel(e.to_string()))?;
    let cpus = config.vcpus as u8;
    let table = mptable::build(cpus, layout::MP_TABLE as u32);
    write(memory, layout::MP_TABLE, &table)?;
    let entry = Entry { file, kernel };
    start::write(memory, config.memory, entry)?;
    Ok(entry)
}

/// What a failed load means: what the kernel said, where it said something.
fn refused(source: &mut Source, otherwise: impl FnOnce() -> Error) -> Error {
    match source.failure() {
        Some(source) => Error::Call {
            call: "reading a file into guest memory".into(),
            source,
        },
        None => otherwise(),
    }
}

fn write(memory: &Memory, at: u64, bytes: &[u8]) -> Result<(), Error> {
    memory
        .write_slice(bytes, GuestAddress(at))
        .map_err(|e| Error::Kernel(format!("writing at {at:#x}: {e}")))
}
