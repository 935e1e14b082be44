// SPDX-License-Identifier: Apache-2.0 OR MIT
//! A packet socket on the loopback interface: what is sent on it is received on it.

// UNSAFETY: the socket calls take structures of the kernel.
#![expect(unsafe_code)]

use std::{
    fs::File,
    io, mem,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
};

/// The type of frames it is for: for local experiments (IEEE 802-2014, 9.2.4), so that
/// those of other programs are not received.
const TYPE: u16 = 0x88b5;

/// The loopback interface.
const LOOPBACK: &std::ffi::CStr = c"lo";

/// The socket.
#[derive(Debug)]
pub struct PacketSocket(File);

impl PacketSocket {
    /// A socket on the loopback interface, which is switched on if `up` says so and it
    /// is off.
    ///
    /// # Errors
    /// What the kernel says: it has no packet sockets, this process may not have one
    /// (CAP_NET_RAW), or the interface is off.
    pub fn on_loopback(up: bool) -> io::Result<Self> {
        let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        // SAFETY: numbers only.
        let fd = unsafe { libc::socket(libc::AF_PACKET, kind, 0) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: a new descriptor that nothing else owns.
        let socket = PacketSocket(unsafe { OwnedFd::from_raw_fd(fd) }.into());
        if !socket.is_up()? {
            match up {
                true => socket.switch_on()?,
                false => return Err(io::ErrorKind::NetworkDown.into()),
            }
        }
        socket.bind()?;
        Ok(socket)
    }

    /// It as a file, for vhost.
    pub fn file(&self) -> &File {
        &self.0
    }

    /// How many frames it has received since this was last asked, and how many of them
    /// it had no room for.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn received(&self) -> io::Result<(u64, u64)> {
        // struct tpacket_stats (linux/if_packet.h).
        let mut stats = [0u32; 2];
        let mut len = mem::size_of_val(&stats) as libc::socklen_t;
        // SAFETY: the kernel writes at most `len` bytes into `stats`, which lives on.
        let done = unsafe {
            libc::getsockopt(
                self.0.as_raw_fd(),
                libc::SOL_PACKET,
                libc::PACKET_STATISTICS,
                stats.as_mut_ptr().cast(),
                &mut len,
            )
        };
        checked(done)?;
        Ok((stats[0].into(), stats[1].into()))
    }

    fn bind(&self) -> io::Result<()> {
        // SAFETY: a C string that lives on.
        let index = unsafe { libc::if_nametoindex(LOOPBACK.as_ptr()) };
        if index == 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: all-zero is a valid value of this C structure.
        let mut address: libc::sockaddr_ll = unsafe { mem::zeroed() };
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = TYPE.to_be();
        address.sll_ifindex = index as i32;
        let len = mem::size_of_val(&address) as libc::socklen_t;
        // SAFETY: the structure is ours and lives through the call.
        checked(unsafe { libc::bind(self.0.as_raw_fd(), (&raw const address).cast(), len) })
    }

    fn is_up(&self) -> io::Result<bool> {
        let mut request = request();
        // SAFETY: the kernel reads the name in the structure and writes its flags.
        let done =
            unsafe { libc::ioctl(self.0.as_raw_fd(), libc::SIOCGIFFLAGS as _, &mut request) };
        checked(done)?;
        // SAFETY: the call above has written this member.
        Ok(unsafe { request.ifr_ifru.ifru_flags } & libc::IFF_UP as i16 != 0)
    }

    fn switch_on(&self) -> io::Result<()> {
        let mut request = request();
        request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_LOOPBACK) as i16;
        // SAFETY: the kernel reads the structure.
        checked(unsafe { libc::ioctl(self.0.as_raw_fd(), libc::SIOCSIFFLAGS as _, &request) })
    }
}

/// A request about the loopback interface.
fn request() -> libc::ifreq {
    // SAFETY: all-zero is a valid value of this C structure.
    let mut request: libc::ifreq = unsafe { mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(LOOPBACK.to_bytes()) {
        *to = *from as libc::c_char;
    }
    request
}

fn checked(done: libc::c_int) -> io::Result<()> {
    match done {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
