// SPDX-License-Identifier: Apache-2.0
//! Bytes that arrived, cut into frames, with each file descriptor at its place.
//!
//! libvirt announces descriptors in the frame and sends each of them after the frame on a byte of its
//! own. A descriptor anywhere else, two on one byte, or a byte without one means that the two ends have
//! lost step; then the link is over.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;

use super::{Frame, WireError};

/// Longest frame, without its length word: what libvirt itself accepts.
const LONGEST: usize = 32 * 1024 * 1024;
/// Length word and header.
const SHORTEST: usize = 28;
/// Most descriptors with one frame.
const MOST_DESCRIPTORS: u32 = 32;
/// What an idle link keeps allocated.
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

    /// The next whole frame, if it is there.
    ///
    /// # Errors
    /// A length out of bounds, or descriptors out of step.
    pub(super) fn next(&mut self) -> Result<Option<Frame>, WireError> {
        if self.awaiting.is_none() {
            let Some(length) = self.announced()? else { return Ok(None) };
            let Some(bytes) = self.take(length)? else { return Ok(None) };
            let missing = descriptors(&bytes)?;
            self.awaiting = Some((Frame { bytes, fds: Vec::new() }, missing));
        }
        self.collect()
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
        let after = self.passed + length as u64;
        if self.arrived.front().is_some_and(|(position, _)| *position < after) {
            return Err(WireError::Descriptors);
        }
        self.start += length;
        self.passed = after;
        self.shrink();
        Ok(Some(bytes))
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

/// How many descriptors a frame announces.
fn descriptors(frame: &[u8]) -> Result<u32, WireError> {
    match word(frame, 16) {
        Some(4 | 5) => match word(frame, 28) {
            Some(count) if count <= MOST_DESCRIPTORS => Ok(count),
            _ => Err(WireError::Descriptors),
        },
        _ => Ok(0),
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_be_bytes)
}
