// SPDX-License-Identifier: Apache-2.0
//! Calls of a client that wait for their turn: bounded in number and in bytes. Beyond, the client is not read.

use std::collections::VecDeque;

use super::wire::Frame;

/// Most calls.
const CALLS: usize = 64;
/// No more calls are taken in once this many bytes wait. One call may be longer than that by itself.
const BYTES: usize = 1024 * 1024;
/// What an idle connection keeps allocated.
const KEPT: usize = 8;

/// The queue.
#[derive(Debug, Default)]
pub(super) struct Parked {
    frames: VecDeque<Frame>,
    bytes: usize,
}

impl Parked {
    /// Whether another call may come.
    pub(super) fn has_room(&self) -> bool {
        self.frames.len() < CALLS && self.bytes < BYTES
    }

    /// Puts a call at the end.
    pub(super) fn push(&mut self, frame: Frame) {
        self.bytes += frame.bytes.len();
        self.frames.push_back(frame);
    }

    /// Takes the call whose turn it is.
    pub(super) fn pop(&mut self) -> Option<Frame> {
        let frame = self.frames.pop_front()?;
        self.bytes -= frame.bytes.len();
        if self.frames.is_empty() {
            self.frames.shrink_to(KEPT);
        }
        Some(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parked(lengths: &[usize]) -> Parked {
        let mut parked = Parked::default();
        lengths.iter().for_each(|length| parked.push(vec![0; *length].into()));
        parked
    }

    #[test]
    fn many_short_calls_or_few_long_ones_fill_the_queue() {
        assert!(parked(&[28; CALLS - 1]).has_room());
        assert!(!parked(&[28; CALLS]).has_room());
        assert!(parked(&[BYTES / 2]).has_room());
        assert!(!parked(&[BYTES / 2, BYTES / 2]).has_room());
        assert!(!parked(&[8 * BYTES]).has_room());
    }

    #[test]
    fn what_was_taken_makes_room() {
        let mut parked = parked(&[BYTES, 28]);
        assert_eq!(parked.pop().map(|frame| frame.bytes.len()), Some(BYTES));
        assert!(parked.has_room());
        assert_eq!(parked.pop().map(|frame| frame.bytes.len()), Some(28));
        assert!(parked.pop().is_none() && parked.bytes == 0);
    }
}
