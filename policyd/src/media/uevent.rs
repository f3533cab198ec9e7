// SPDX-License-Identifier: Apache-2.0
//! The kernel's word that something was plugged in, pulled out or changed.
//!
//! What it says is only a reason to look: nothing is decided by it, so that one that is lost costs time only.

use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recvfrom, socket,
};

/// The group that the kernel itself sends to; udev's is another.
const KERNEL: u32 = 1;
/// The longest message of the kernel, with room to spare.
const MESSAGE: usize = 16 << 10;

/// The socket on which they come.
#[derive(Debug)]
pub(super) struct Uevents(OwnedFd);

impl Uevents {
    /// Opens it.
    pub(super) fn open() -> io::Result<Self> {
        let kind = SockProtocol::NetlinkKObjectUEvent;
        let socket = socket(AddressFamily::Netlink, SockType::Datagram, SockFlag::SOCK_CLOEXEC, kind)?;
        bind(socket.as_raw_fd(), &NetlinkAddr::new(0, KERNEL))?;
        Ok(Self(socket))
    }

    /// Waits for one that is a reason to look.
    pub(super) fn wait(&self) -> io::Result<()> {
        let mut buffer = [0; MESSAGE];
        loop {
            match recvfrom::<NetlinkAddr>(self.0.as_raw_fd(), &mut buffer) {
                Ok((length, sender)) => {
                    let from_kernel = sender.is_some_and(|sender| sender.pid() == 0);
                    if from_kernel && is_reason(buffer.get(..length).unwrap_or_default()) {
                        return Ok(());
                    }
                }
                // Some were lost: what they would have told is seen by looking.
                Err(Errno::ENOBUFS) => return Ok(()),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

/// `add@/devices/...`, then `KEY=value`, each ended by a zero byte.
fn is_reason(message: &[u8]) -> bool {
    let subsystems: [&[u8]; 4] = [b"SUBSYSTEM=usb", b"SUBSYSTEM=block", b"SUBSYSTEM=mmc", b"SUBSYSTEM=scsi"];
    message.split(|byte| *byte == 0).any(|part| subsystems.contains(&part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_to_sticks_and_discs_is_a_reason_to_look() {
        let told = |subsystem: &str| {
            format!("add@/devices/x\0ACTION=add\0DEVPATH=/devices/x\0SUBSYSTEM={subsystem}\0SEQNUM=7\0")
        };
        for (subsystem, reason) in
            [("usb", true), ("block", true), ("mmc", true), ("net", false), ("usbmon", false)]
        {
            assert_eq!(is_reason(told(subsystem).as_bytes()), reason, "{subsystem}");
        }
        for nonsense in [&b""[..], b"\0\0\0", b"libudev\0", &[0xff; 64]] {
            assert!(!is_reason(nonsense));
        }
    }

    #[test]
    fn the_socket_opens_without_privileges() {
        assert!(Uevents::open().is_ok());
    }
}
