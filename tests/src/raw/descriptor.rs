// SPDX-License-Identifier: Apache-2.0
//! Calls that carry an open file, or whose answer is one: it follows the frame, with one byte of its own.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};

use super::{Answer, REMOTE, Raw, frame, word};

const OPEN_GRAPHICS: u32 = 249;
const OPEN_GRAPHICS_FD: u32 = 343;
const CALL_WITH_FDS: u32 = 4;
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

    /// The same by handing over one end of a pair of sockets; none if it was refused.
    ///
    /// # Errors
    /// The socket failed.
    pub fn screen_on_a_socket_of_ours(&mut self, vm: &[u8]) -> io::Result<Option<OwnedFd>> {
        let (ours, theirs) = UnixStream::pair()?;
        let arguments = [&word(1)[..], vm, &word(0), &word(0)].concat();
        self.send(&frame([REMOTE, 1, OPEN_GRAPHICS, CALL_WITH_FDS, 901, 0], &arguments))?;
        let descriptors = [theirs.as_fd()];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        control.push(SendAncillaryMessage::ScmRights(&descriptors));
        sendmsg(&self.socket, &[IoSlice::new(&[0])], &mut control, SendFlags::empty())?;
        match self.answer()? {
            Answer::Done(_) => Ok(Some(ours.into())),
            Answer::Refused(_) | Answer::Closed | Answer::Silence => Ok(None),
        }
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
