// SPDX-License-Identifier: Apache-2.0
//! What waits to be written, in order, and whether writing works at present.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::trail::Sequence;
use crate::trail::clock::Clock;
use crate::trail::error::TrailError;
use crate::trail::flood::LastSeen;
use crate::trail::item::{Care, Item, Waiter, Work};

/// What was turned away while writing did not work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Refused {
    /// Attempts that were not permitted for this reason.
    pub(super) attempts: u64,
    /// Refusals that have no record of their own.
    pub(super) denials: u64,
    /// Outcomes and other notes for which there was no room left.
    pub(super) notes: u64,
}

#[derive(Debug)]
enum Health {
    Working,
    Down(TrailError),
    Closing,
    Closed,
}

#[derive(Debug)]
struct State {
    items: VecDeque<Item>,
    bytes: usize,
    health: Health,
    refused: Refused,
    woken: bool,
}

/// What the committer is to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// Go on.
    Work,
    /// Write what is there and stop.
    Close,
}

/// The queue between everyone and the committer.
pub(super) struct Queue {
    state: Mutex<State>,
    work: Condvar,
    room: Condvar,
    limit: usize,
    clock: Arc<dyn Clock>,
}

impl Queue {
    pub(super) fn new(limit: usize, clock: Arc<dyn Clock>) -> Self {
        let state = State {
            items: VecDeque::new(),
            bytes: 0,
            health: Health::Working,
            refused: Refused::default(),
            woken: false,
        };
        Self { state: Mutex::new(state), work: Condvar::new(), room: Condvar::new(), limit, clock }
    }

    /// Queues work and waits until it is durable or has failed.
    pub(super) fn ask(&self, work: Work) -> Result<Sequence, TrailError> {
        let waiter = Arc::new(Waiter::new());
        self.push(work, Care::Refuse, Some(Arc::clone(&waiter)), None)?;
        waiter.wait()
    }

    /// Queues a line about something that has happened. Waits for room, but not for the disk.
    pub(super) fn tell(&self, member: Vec<u8>, last_seen: Option<LastSeen>) -> Result<(), TrailError> {
        self.push(Work::Write(member), Care::Keep, None, last_seen)
    }

    /// Why writing does not work at present, if so.
    pub(super) fn trouble(&self) -> Option<TrailError> {
        match &self.lock().health {
            Health::Working => None,
            Health::Down(error) => Some(error.clone()),
            Health::Closing | Health::Closed => Some(TrailError::Closed),
        }
    }

    /// Counts a refusal instead of queueing it, if writing does not work at present.
    pub(super) fn count_denial_if_down(&self) -> bool {
        let mut state = self.lock();
        let down = matches!(state.health, Health::Down(_));
        state.refused.denials += u64::from(down);
        down
    }

    fn push(
        &self,
        work: Work,
        care: Care,
        waiter: Option<Arc<Waiter>>,
        last_seen: Option<LastSeen>,
    ) -> Result<(), TrailError> {
        let mut state = self.lock();
        loop {
            state.admit(&work, care, self.limit)?;
            if state.bytes < self.limit {
                break;
            }
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let urgent = work.makes_room() && matches!(state.health, Health::Down(_));
        let item = Item { work, stamp: self.clock.now(), care, waiter, last_seen };
        state.bytes += item.bytes();
        state.items.push_back(item);
        state.woken |= urgent;
        if state.items.len() == 1 || urgent {
            self.work.notify_one();
        }
        Ok(())
    }

    /// Has the committer look at what else is due.
    pub(super) fn wake(&self) {
        self.lock().woken = true;
        self.work.notify_one();
    }

    /// Takes everything that waits. Sleeps until there is something or the time is up.
    pub(super) fn take(&self, until: Instant) -> (VecDeque<Item>, Call) {
        let mut state = self.lock();
        while state.items.is_empty() || matches!(state.health, Health::Down(_)) {
            let left = until.saturating_duration_since(Instant::now());
            if left == Duration::ZERO || state.woken || matches!(state.health, Health::Closing) {
                break;
            }
            state = self.work.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.woken = false;
        let call = if matches!(state.health, Health::Closing) { Call::Close } else { Call::Work };
        if matches!(state.health, Health::Down(_)) {
            return (state.take_what_makes_room(), call);
        }
        state.bytes = 0;
        self.room.notify_all();
        (mem::take(&mut state.items), call)
    }

    /// Writing failed: refuses what waits for an answer, keeps the rest, those already taken first.
    pub(super) fn fail(&self, error: TrailError, taken: Vec<Item>) {
        let mut state = self.lock();
        let waiting = mem::take(&mut state.items);
        state.bytes = 0;
        for mut item in taken.into_iter().chain(waiting) {
            match item.care {
                Care::Refuse => {
                    item.answer(Err(error.clone()));
                    state.refused.attempts += 1;
                }
                Care::Keep => {
                    state.bytes += item.bytes();
                    state.items.push_back(item);
                }
            }
        }
        if !matches!(state.health, Health::Closing | Health::Closed) {
            state.health = Health::Down(error);
        }
        self.room.notify_all();
    }

    /// Writing works again. Returns what was turned away since it did not.
    pub(super) fn work_again(&self) -> Refused {
        let mut state = self.lock();
        if matches!(state.health, Health::Down(_)) {
            state.health = Health::Working;
        }
        mem::take(&mut state.refused)
    }

    /// It did not after all.
    pub(super) fn count_again(&self, refused: Refused) {
        let mut state = self.lock();
        state.refused.attempts += refused.attempts;
        state.refused.denials += refused.denials;
        state.refused.notes += refused.notes;
    }

    /// No more; the committer is to write what is there and stop.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        if !matches!(state.health, Health::Closed) {
            state.health = Health::Closing;
        }
        self.work.notify_all();
        self.room.notify_all();
    }

    /// The committer is gone. Answers everyone who still waits.
    pub(super) fn closed(&self) {
        let mut state = self.lock();
        state.health = Health::Closed;
        state.items.clear();
        self.room.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What is done although writing does not work at present.
    fn take_what_makes_room(&mut self) -> VecDeque<Item> {
        let items = mem::take(&mut self.items).into_iter();
        let (makes_room, waits) = items.partition::<VecDeque<_>, _>(|item| item.work.makes_room());
        self.items = waits;
        self.bytes = self.items.iter().map(Item::bytes).sum();
        makes_room
    }

    /// Whether something may be queued now; it may still have to wait for room.
    fn admit(&mut self, work: &Work, care: Care, limit: usize) -> Result<(), TrailError> {
        match (&self.health, care) {
            (Health::Down(TrailError::Full), Care::Refuse) if work.makes_room() => Ok(()),
            (Health::Working, _) => Ok(()),
            (Health::Closing | Health::Closed, _) => Err(TrailError::Closed),
            (Health::Down(error), Care::Refuse) => {
                self.refused.attempts += 1;
                Err(error.clone())
            }
            (Health::Down(_), Care::Keep) if self.bytes < limit => Ok(()),
            (Health::Down(error), Care::Keep) => {
                self.refused.notes += 1;
                Err(error.clone())
            }
        }
    }
}
