// SPDX-License-Identifier: Apache-2.0
//! The kernel's audit socket. Sending needs the capability CAP_AUDIT_WRITE.

use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto, socket,
};

/// `AUDIT_TRUSTED_APP` of linux/audit.h: free text of a trusted program. `VIRT_CONTROL` (2500) is left to
/// libvirt, so that `auvirt` does not count each start twice.
const TRUSTED_APP: u16 = 1121;
/// `NLM_F_REQUEST | NLM_F_ACK`.
const REQUEST_AND_ANSWER: u16 = 0x01 | 0x04;
/// `NLMSG_ERROR`: an answer; its number is 0 if all is well.
const ANSWER: u16 = 2;
const HEADER: usize = 16;

/// The kernel's audit socket.
#[derive(Debug)]
pub(super) struct AuditSocket {
    socket: OwnedFd,
    sequence: u32,
}

impl AuditSocket {
    /// Opens it.
    pub(super) fn open() -> io::Result<Self> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let socket = socket(AddressFamily::Netlink, SockType::Raw, flags, SockProtocol::NetlinkAudit)?;
        Ok(Self { socket, sequence: 0 })
    }

    /// Sends a message and reads the kernel's answer. One for which there is no room is dropped.
    pub(super) fn send(&mut self, text: &str) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        let message = frame(text, self.sequence);
        let kernel = NetlinkAddr::new(0, 0);
        match sendto(self.socket.as_raw_fd(), &message, &kernel, MsgFlags::MSG_DONTWAIT) {
            Ok(_) => self.answer(),
            Err(Errno::EAGAIN | Errno::ENOBUFS | Errno::EINTR) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    fn answer(&self) -> io::Result<()> {
        let mut buffer = [0; 256];
        match recv(self.socket.as_raw_fd(), &mut buffer, MsgFlags::MSG_DONTWAIT) {
            Ok(length) => result(buffer.get(..length).unwrap_or_default()),
            Err(Errno::EAGAIN | Errno::ENOBUFS | Errno::EINTR) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }
}

/// A netlink message in the host's byte order: length, kind, flags, sequence, sender, text.
fn frame(text: &str, sequence: u32) -> Vec<u8> {
    let length = HEADER + text.len() + 1;
    let mut message = Vec::with_capacity(length);
    message.extend(u32::try_from(length).unwrap_or(u32::MAX).to_ne_bytes());
    message.extend(TRUSTED_APP.to_ne_bytes());
    message.extend(REQUEST_AND_ANSWER.to_ne_bytes());
    message.extend(sequence.to_ne_bytes());
    message.extend(0_u32.to_ne_bytes());
    message.extend(text.as_bytes());
    message.push(0);
    message
}

/// What the kernel's answer says.
fn result(answer: &[u8]) -> io::Result<()> {
    let kind = answer.get(4..6).and_then(|bytes| bytes.try_into().ok()).map(u16::from_ne_bytes);
    let number =
        answer.get(HEADER..HEADER + 4).and_then(|bytes| bytes.try_into().ok()).map(i32::from_ne_bytes);
    match (kind, number) {
        (Some(ANSWER), Some(number)) if number < 0 => {
            Err(io::Error::from_raw_os_error(number.checked_neg().unwrap_or(0)))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_its_length_kind_and_an_end() {
        let message = frame("op=x", 7);
        assert_eq!(message.len(), 21);
        assert_eq!(
            message[..8],
            [&21_u32.to_ne_bytes()[..], &1121_u16.to_ne_bytes(), &5_u16.to_ne_bytes()].concat()
        );
        assert_eq!(&message[16..], b"op=x\0");
    }

    #[test]
    fn a_refusal_is_told_from_a_success() {
        let answer = |number: i32| {
            let header = [&36_u32.to_ne_bytes()[..], &2_u16.to_ne_bytes(), &[0; 10]].concat();
            [&header[..], &number.to_ne_bytes()].concat()
        };
        assert!(result(&answer(0)).is_ok());
        assert_eq!(result(&answer(-1)).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    }
}
