// SPDX-License-Identifier: Apache-2.0
//! One thing that waits to be written, and whoever waits for it.

use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};

use virtwarden_core::trail::line::Stamp;

use crate::trail::Sequence;
use crate::trail::error::TrailError;
use crate::trail::flood::LastSeen;

/// How many bytes an item counts beyond its text.
const OVERHEAD: usize = 256;

/// Someone who waits for an answer.
#[derive(Debug)]
pub(super) struct Waiter {
    thread: Thread,
    answer: OnceLock<Result<Sequence, TrailError>>,
}

impl Waiter {
    /// The calling thread.
    pub(super) fn new() -> Self {
        Self { thread: thread::current(), answer: OnceLock::new() }
    }

    /// Sleeps until there is an answer.
    pub(super) fn wait(&self) -> Result<Sequence, TrailError> {
        loop {
            if let Some(answer) = self.answer.get() {
                return answer.clone();
            }
            thread::park();
        }
    }
}

/// What is to be done.
#[derive(Debug)]
pub(super) enum Work {
    /// Write a line with that member.
    Write(Vec<u8>),
    /// Seal what is written.
    Seal,
    /// Go over to a new key.
    NewKey,
    /// Write a line about what is to make room, into the reserve if the trail is full.
    WriteToMakeRoom(Vec<u8>),
    /// Write a line about who copies what is to go; into the reserve, but not into its end.
    WriteToSave(Vec<u8>),
    /// Let the oldest segments go, through that number, for that reason.
    Remove {
        /// The last segment that goes.
        through: u64,
        /// For the record.
        reason: String,
    },
}

/// How much of the reserve copies leave to the orders that make room.
const FOR_ORDERS: usize = 8 * 1024;

impl Work {
    /// Whether it is done even while the trail is full, because nothing else ends that.
    pub(super) const fn makes_room(&self) -> bool {
        self.leaves().is_some()
    }

    /// How much of a full trail's reserve it must leave; none if it may take nothing of it.
    pub(super) const fn leaves(&self) -> Option<usize> {
        match self {
            Work::WriteToMakeRoom(_) | Work::Remove { .. } => Some(0),
            Work::WriteToSave(_) => Some(FOR_ORDERS),
            Work::Write(_) | Work::Seal | Work::NewKey => None,
        }
    }
}

/// What becomes of an item that could not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Care {
    /// Someone waits and will not act.
    Refuse,
    /// It has happened already and must be written later.
    Keep,
}

/// One thing to be done. Whoever waits for it gets an answer whatever becomes of it.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) work: Work,
    pub(super) stamp: Stamp,
    pub(super) care: Care,
    pub(super) waiter: Option<Arc<Waiter>>,
    pub(super) last_seen: Option<LastSeen>,
}

impl Item {
    pub(super) fn answer(&mut self, answer: Result<Sequence, TrailError>) {
        if let (Some(last_seen), Ok(seq)) = (&self.last_seen, &answer) {
            last_seen.set(*seq);
        }
        if let Some(waiter) = self.waiter.take() {
            let _ = waiter.answer.set(answer);
            waiter.thread.unpark();
        }
    }

    /// A line that the committer itself adds.
    pub(super) fn own(member: Vec<u8>, stamp: Stamp) -> Self {
        Self { work: Work::Write(member), stamp, care: Care::Keep, waiter: None, last_seen: None }
    }

    /// About how many bytes of the segment it takes, its frame not counted.
    pub(super) fn length(&self) -> usize {
        match &self.work {
            Work::Write(member) | Work::WriteToMakeRoom(member) | Work::WriteToSave(member) => member.len(),
            Work::Seal | Work::NewKey | Work::Remove { .. } => 0,
        }
    }

    /// How many bytes it takes in the queue.
    pub(super) fn bytes(&self) -> usize {
        OVERHEAD + self.length()
    }
}

impl Drop for Item {
    fn drop(&mut self) {
        self.answer(Err(TrailError::Closed));
    }
}
