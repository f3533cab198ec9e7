// SPDX-License-Identifier: Apache-2.0
//! Calls whose answer is an open file: libvirt sends it after the reply, with one byte of its own.

use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

use super::{REMOTE, Raw, frame, word};

const OPEN_GRAPHICS_FD: u32 = 343;
const REPLY_WITH_FDS: [u8; 4] = [0, 0, 0, 5];

impl Raw {
    /// The screen of a VM, as a socket to its VNC server; none if it was refused.
    ///
    /// # Errors
    /// The socket failed, or no descriptor came with a good reply.
    pub fn screen(&mut self, vm: &[u8]) -> io::Result<Option<OwnedFd>> {
        let arguments = [vm, &word(0), &word(0)].concat();
        self.send(&frame([REMOTE, 1, OPEN_GRAPHICS_FD, 0, 900, 0], &arguments))?;
        let reply = self.receive()?;
        if reply.get(12..16) != Some(&REPLY_WITH_FDS[..]) {
            return Ok(None);
        }
        self.descriptor().map(Some)
    }

    fn descriptor(&self) -> io::Result<OwnedFd> {
        let mut byte = [1];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        recvmsg(&self.socket, &mut [IoSliceMut::new(&mut byte)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
        let first = control.drain().find_map(|message| {
            let RecvAncillaryMessage::ScmRights(mut descriptors) = message else { return None };
            descriptors.next()
        });
        first.ok_or_else(|| io::Error::other("no descriptor came"))
    }
}
