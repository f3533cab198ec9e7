// SPDX-License-Identifier: Apache-2.0
//! One end of a libvirt link: whole frames with their file descriptors, in and out, never waiting.

mod inbox;
mod outbox;
#[cfg(test)]
mod tests;

use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, recvmsg};

use super::budget::{Purse, Room};
use inbox::Inbox;
use outbox::Outbox;

/// More queued bytes than this, and whoever produces them is not read until they have gone out.
const FULL: usize = 256 * 1024;

/// One message as it travels: length word, header, payload, and the descriptors that belong to it.
#[derive(Debug)]
pub struct Frame {
    /// The message with its length word.
    pub bytes: Vec<u8>,
    /// Its descriptors, in order.
    pub fds: Vec<OwnedFd>,
    /// The room that it takes, given back with it.
    pub room: Option<Room>,
    /// There was no room for it: only its header is here, and this was its length.
    pub missing: Option<usize>,
}

impl From<Vec<u8>> for Frame {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes, fds: Vec::new(), room: None, missing: None }
    }
}

/// Why a link cannot go on.
#[derive(Debug)]
pub enum WireError {
    /// A frame shorter than its header or longer than libvirt accepts.
    Length,
    /// Descriptors where none belong, none where they belong, or too many.
    Descriptors,
    /// The other end is gone, perhaps in the middle of a frame.
    Closed,
    /// The socket failed.
    Broken(std::io::Error),
}

impl std::fmt::Display for WireError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            WireError::Length => f.write_str("a message with an impossible length"),
            WireError::Descriptors => f.write_str("file descriptors out of step with the messages"),
            WireError::Closed => f.write_str("the other end closed the connection"),
            WireError::Broken(error) => write!(f, "the connection broke: {error}"),
        }
    }
}

impl std::error::Error for WireError {}

/// One end of a link.
#[derive(Debug)]
pub struct Wire {
    socket: UnixStream,
    inbox: Inbox,
    outbox: Outbox,
    ended: bool,
    hung_up: bool,
}

impl Wire {
    /// Takes over a connected socket.
    ///
    /// # Errors
    /// The socket cannot be made non-blocking.
    pub fn new(socket: UnixStream) -> std::io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self { socket, inbox: Inbox::default(), outbox: Outbox::default(), ended: false, hung_up: false })
    }

    /// From now on long frames that come in take room from this purse.
    pub fn charge(&mut self, purse: Purse) {
        self.inbox.charge(purse);
    }

    /// Reads what is there, up to one buffer.
    ///
    /// # Errors
    /// A broken socket, or descriptors that were cut off or came in a heap.
    pub fn fill(&mut self) -> Result<(), WireError> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
        let mut iov = [IoSliceMut::new(self.inbox.space())];
        let message = match recvmsg(&self.socket, &mut iov, &mut control, flags) {
            Ok(message) => message,
            Err(Errno::AGAIN | Errno::INTR) => return Ok(()),
            Err(error) => return Err(WireError::Broken(error.into())),
        };
        if message.flags.contains(ReturnFlags::CTRUNC) {
            return Err(WireError::Descriptors);
        }
        self.ended |= message.bytes == 0;
        self.inbox.arrive(message.bytes, owned(control))
    }

    /// The next whole frame. `Err(Closed)` once the other end has closed and all frames are taken.
    ///
    /// # Errors
    /// Anything after which the link cannot go on.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, WireError> {
        if self.hung_up {
            return Ok(None);
        }
        match self.inbox.next()? {
            None if self.ended => Err(WireError::Closed),
            frame => Ok(frame),
        }
    }

    /// Whether the other end closed in the middle of a frame.
    pub fn is_cut_short(&self) -> bool {
        self.ended && !self.inbox.is_empty()
    }

    /// Queues a frame; [`Wire::flush`] sends it.
    pub fn send(&mut self, frame: impl Into<Frame>) {
        if !self.hung_up {
            self.outbox.push(frame.into());
        }
    }

    /// Closes this end. From now on it brings nothing, and what is sent goes nowhere.
    pub fn hang_up(&mut self) {
        self.hung_up = true;
        (self.inbox, self.outbox) = (Inbox::default(), Outbox::default());
        let _closed_already = self.socket.shutdown(std::net::Shutdown::Both);
    }

    /// Sends what the socket takes.
    ///
    /// # Errors
    /// The other end is gone.
    pub fn flush(&mut self) -> Result<(), WireError> {
        self.outbox.flush(self.socket.as_fd())
    }

    /// Whether so much waits to go out that its producer should pause.
    pub fn is_full(&self) -> bool {
        self.outbox.waiting() > FULL
    }

    /// Whether nothing waits to go out.
    pub fn is_drained(&self) -> bool {
        self.outbox.waiting() == 0
    }

    /// What to wait for on this socket; nothing once it has ended and has nothing to send.
    pub fn wait_for(&self, reading: Reading) -> Option<PollFd<'_>> {
        if self.hung_up {
            return None;
        }
        let mut flags = PollFlags::empty();
        if matches!(reading, Reading::Wanted) && !self.ended {
            flags |= PollFlags::IN;
        }
        if !self.is_drained() {
            flags |= PollFlags::OUT;
        }
        (!self.ended || !self.is_drained()).then(|| PollFd::new(&self.socket, flags))
    }
}

impl AsFd for Wire {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Whether a link should be read now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Yes.
    Wanted,
    /// Not now: what it would bring has nowhere to go.
    Paused,
}

fn owned(mut control: RecvAncillaryBuffer<'_>) -> Vec<OwnedFd> {
    let mut fds = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(received) = message {
            fds.extend(received);
        }
    }
    fds
}
