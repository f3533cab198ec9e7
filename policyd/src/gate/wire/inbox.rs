// SPDX-License-Identifier: Apache-2.0
//! Bytes that arrived, cut into frames, with each file descriptor at its place.
//!
//! libvirt announces descriptors in the frame and sends each of them after the frame on a byte of its
//! own. A descriptor anywhere else, two on one byte, or a byte without one means that the two ends have
//! lost step; then the link is over.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;

use super::{Frame, WireError};
use crate::gate::budget::{Purse, Room, Use};

/// Longest frame, without its length word: what libvirt itself accepts.
const LONGEST: usize = 32 * 1024 * 1024;
/// Length word and header.
const SHORTEST: usize = 28;
/// Most descriptors with one frame.
const MOST_DESCRIPTORS: u32 = 32;
/// What an idle link keeps allocated. Longer frames take room from the budget.
const KEPT: usize = 4096;

/// The receiving half of a link.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    /// Allocated space; bytes from `start` to `end` are unread.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// How many bytes of the stream came before `start`.
    passed: u64,
    /// Descriptors, each with the stream position of the byte it came on.
    arrived: VecDeque<(u64, OwnedFd)>,
    /// A whole frame whose descriptors are still to come.
    awaiting: Option<(Frame, u32)>,
    /// Where room for long frames comes from; without it there is no bound but a frame's own.
    purse: Option<Purse>,
    /// Room for the frame that is arriving.
    room: Option<Room>,
    /// How many bytes of a frame without room are still to be passed over.
    unwanted: usize,
}

impl Inbox {
    /// Space for more bytes; grows only when what is there is full, so that a length that lies costs nothing.
    pub(super) fn space(&mut self) -> &mut [u8] {
        if self.end == self.buffer.len() {
            self.make_room();
        }
        self.buffer.get_mut(self.end..).unwrap_or_default()
    }

    fn make_room(&mut self) {
        if self.start > self.buffer.len() / 2 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        } else {
            let size = (self.buffer.len() * 2).clamp(KEPT, LONGEST * 2);
            self.buffer.resize(size, 0);
        }
    }

    /// Takes note of `count` bytes written to [`Inbox::space`] and the descriptors that came with them.
    ///
    /// # Errors
    /// More than one descriptor at once.
    pub(super) fn arrive(&mut self, count: usize, mut fds: Vec<OwnedFd>) -> Result<(), WireError> {
        self.end = (self.end + count).min(self.buffer.len());
        let last = self.passed + (self.end - self.start) as u64;
        match (fds.pop(), fds.is_empty()) {
            (None, _) => Ok(()),
            (Some(fd), true) => {
                self.arrived.push_back((last.saturating_sub(1), fd));
                Ok(())
            }
            (Some(_), false) => Err(WireError::Descriptors),
        }
    }

    /// Whether bytes are left that do not make a whole frame yet.
    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end && self.awaiting.is_none()
    }

    /// From now on long frames take room from this purse.
    pub(super) fn charge(&mut self, purse: Purse) {
        self.purse = Some(purse);
    }

    /// The next whole frame, if it is there. One for which there is no room comes without its payload.
    ///
    /// # Errors
    /// A length out of bounds, or descriptors out of step.
    pub(super) fn next(&mut self) -> Result<Option<Frame>, WireError> {
        if self.awaiting.is_none() {
            let Some(length) = self.announced()? else { return Ok(None) };
            let frame = match self.make_room_for(length) {
                Some(Space::Enough) => self.whole(length)?,
                Some(Space::None) => self.head(length)?,
                None => None,
            };
            let Some(frame) = frame else { return Ok(None) };
            let missing = descriptors(&frame.bytes)?;
            self.awaiting = Some((frame, missing));
        }
        if !self.pass_over()? {
            return Ok(None);
        }
        self.collect()
    }

    fn whole(&mut self, length: usize) -> Result<Option<Frame>, WireError> {
        let Some(bytes) = self.take(length)? else { return Ok(None) };
        Ok(Some(Frame { bytes, fds: Vec::new(), room: self.room.take(), missing: None }))
    }

    /// What tells which frame it is, as a frame of its own; the rest will be passed over.
    fn head(&mut self, length: usize) -> Result<Option<Frame>, WireError> {
        let long =
            if announces_descriptors(self.unread().unwrap_or_default()) { SHORTEST + 4 } else { SHORTEST };
        let Some(mut bytes) = self.take(long)? else { return Ok(None) };
        self.unwanted = length - long;
        if let (Some(word), Ok(long)) = (bytes.first_chunk_mut(), u32::try_from(long)) {
            *word = long.to_be_bytes();
        }
        Ok(Some(Frame { bytes, fds: Vec::new(), room: None, missing: Some(length) }))
    }

    /// Whether a frame may be taken in; none: it is not known yet what it is.
    fn make_room_for(&mut self, length: usize) -> Option<Space> {
        let Some(purse) = self.purse.as_ref().filter(|_| length > KEPT && self.room.is_none()) else {
            return Some(Space::Enough);
        };
        let kind = self.unread().and_then(|bytes| word(bytes, KIND))?;
        self.room = purse.take(use_of(kind), length);
        Some(if self.room.is_some() { Space::Enough } else { Space::None })
    }

    /// Throws away what nobody wants; true when all of it is gone.
    fn pass_over(&mut self) -> Result<bool, WireError> {
        let count = self.unwanted.min(self.end - self.start);
        if count > 0 {
            self.take_away(count)?;
            self.unwanted -= count;
        }
        Ok(self.unwanted == 0)
    }

    fn announced(&self) -> Result<Option<usize>, WireError> {
        let Some(length) = self.unread().and_then(|bytes| word(bytes, 0)) else { return Ok(None) };
        let length = usize::try_from(length).map_err(|_| WireError::Length)?;
        if (SHORTEST..=LONGEST + 4).contains(&length) { Ok(Some(length)) } else { Err(WireError::Length) }
    }

    fn unread(&self) -> Option<&[u8]> {
        self.buffer.get(self.start..self.end)
    }

    /// Takes plain bytes; a descriptor among them is an error.
    fn take(&mut self, length: usize) -> Result<Option<Vec<u8>>, WireError> {
        let Some(bytes) = self.unread().and_then(|bytes| bytes.get(..length)).map(<[u8]>::to_vec) else {
            return Ok(None);
        };
        self.take_away(length)?;
        Ok(Some(bytes))
    }

    fn take_away(&mut self, length: usize) -> Result<(), WireError> {
        let after = self.passed + length as u64;
        if self.arrived.front().is_some_and(|(position, _)| *position < after) {
            return Err(WireError::Descriptors);
        }
        self.start += length;
        self.passed = after;
        self.shrink();
        Ok(())
    }

    /// Space that a long frame needed is given back as soon as the frame is taken, not when more arrives:
    /// a link may be idle for days.
    fn shrink(&mut self) {
        let unread = self.end - self.start;
        if unread == 0 {
            (self.start, self.end) = (0, 0);
        }
        if self.buffer.len() <= KEPT || unread >= self.buffer.len() / 4 {
            return;
        }
        let mut kept = self.unread().unwrap_or_default().to_vec();
        kept.resize(if unread == 0 { 0 } else { unread.next_power_of_two().max(KEPT) }, 0);
        self.buffer = kept;
        (self.start, self.end) = (0, unread);
    }

    /// How many bytes are allocated.
    #[cfg(test)]
    pub(super) fn allocated(&self) -> usize {
        self.buffer.capacity()
    }

    fn collect(&mut self) -> Result<Option<Frame>, WireError> {
        while let Some((frame, missing)) = &mut self.awaiting {
            if *missing == 0 {
                return Ok(self.awaiting.take().map(|(frame, _)| frame));
            }
            let Some(byte) = self.buffer.get(self.start..self.end).and_then(<[u8]>::first) else {
                return Ok(None);
            };
            match self.arrived.pop_front() {
                Some((position, fd)) if position == self.passed && *byte == 0 => frame.fds.push(fd),
                _ => return Err(WireError::Descriptors),
            }
            *missing -= 1;
            self.start += 1;
            self.passed += 1;
            self.shrink();
        }
        Ok(None)
    }
}

/// Whether there is room for a frame.
enum Space {
    Enough,
    None,
}

/// Where a frame says of which kind it is.
const KIND: usize = 16;

/// What is done with frames of a kind.
fn use_of(kind: u32) -> Use {
    match kind {
        0 | 4 => Use::Judged,
        3 | 6 => Use::Passed,
        _ => Use::Read,
    }
}

fn announces_descriptors(frame: &[u8]) -> bool {
    matches!(word(frame, KIND), Some(4 | 5))
}

/// How many descriptors a frame announces.
fn descriptors(frame: &[u8]) -> Result<u32, WireError> {
    if !announces_descriptors(frame) {
        return Ok(0);
    }
    match word(frame, SHORTEST) {
        Some(count) if count <= MOST_DESCRIPTORS => Ok(count),
        _ => Err(WireError::Descriptors),
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_be_bytes)
}
