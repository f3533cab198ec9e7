// SPDX-License-Identifier: Apache-2.0
//! Frames on their way out, with each file descriptor on a byte of its own after its frame.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

use super::{Frame, WireError};
use crate::gate::budget::Room;

/// Bytes that wait, or one byte with its descriptor.
#[derive(Debug)]
struct Piece {
    bytes: Vec<u8>,
    sent: usize,
    fd: Option<OwnedFd>,
    /// Given back when the bytes have gone out.
    room: Option<Room>,
}

/// The sending half of a link.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    pieces: VecDeque<Piece>,
    waiting: usize,
}

impl Outbox {
    /// Queues a frame behind all others.
    pub(super) fn push(&mut self, frame: Frame) {
        self.waiting += frame.bytes.len() + frame.fds.len();
        self.pieces.push_back(Piece { bytes: frame.bytes, sent: 0, fd: None, room: frame.room });
        let carriers =
            frame.fds.into_iter().map(|fd| Piece { bytes: vec![0], sent: 0, fd: Some(fd), room: None });
        self.pieces.extend(carriers);
    }

    /// How many bytes wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Sends as much as the socket takes without waiting.
    ///
    /// # Errors
    /// The other end is gone.
    pub(super) fn flush(&mut self, socket: BorrowedFd<'_>) -> Result<(), WireError> {
        while let Some(piece) = self.pieces.front_mut() {
            let rest = piece.bytes.get(piece.sent..).unwrap_or_default();
            let count = match send(socket, rest, piece.fd.as_ref()) {
                Ok(count) => count,
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::INTR) => continue,
                Err(error) => return Err(WireError::Broken(error.into())),
            };
            piece.sent += count;
            self.waiting = self.waiting.saturating_sub(count);
            if piece.sent >= piece.bytes.len() {
                let gone = self.pieces.pop_front();
                drop(gone.and_then(|piece| piece.room));
            }
        }
        self.pieces.shrink_to(8);
        Ok(())
    }
}

fn send(socket: BorrowedFd<'_>, bytes: &[u8], fd: Option<&OwnedFd>) -> Result<usize, Errno> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let fds = fd.map(|fd| [fd.as_fd()]);
    if let Some(fds) = &fds {
        control.push(SendAncillaryMessage::ScmRights(fds));
    }
    sendmsg(socket, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL | SendFlags::DONTWAIT)
}
