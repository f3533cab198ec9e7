// SPDX-License-Identifier: Apache-2.0
//! The next segment's file, zeroed ahead of time by a thread of its own, and whether there is room for it.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use crate::trail::config::Config;
use crate::trail::store::{Store, Stored};

/// Why there is no file for the next segment.
#[derive(Debug)]
pub(super) enum NoSpare {
    /// The trail has reached its greatest size, or the disk is full.
    Room,
    /// The disk failed.
    Disk(io::Error),
}

/// How much room the trail may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    segment: u64,
    total: u64,
    reserve: u64,
}

impl Room {
    pub(super) fn new(config: &Config) -> Self {
        Self { segment: config.segment_bytes, total: config.total_bytes, reserve: config.reserve_bytes }
    }

    /// Makes the file if the limits allow it.
    fn prepare(self, store: &dyn Store) -> Result<(), NoSpare> {
        let used: u64 =
            store.segments().map_err(NoSpare::Disk)?.iter().map(|Stored { bytes, .. }| bytes).sum();
        let free = store.free().map_err(NoSpare::Disk)?;
        if used.saturating_add(self.segment) > self.total || free < self.segment.saturating_add(self.reserve)
        {
            return Err(NoSpare::Room);
        }
        store.prepare(self.segment).map_err(NoSpare::from)
    }
}

impl From<io::Error> for NoSpare {
    fn from(cause: io::Error) -> Self {
        let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded, io::ErrorKind::FileTooLarge];
        if full.contains(&cause.kind()) { NoSpare::Room } else { NoSpare::Disk(cause) }
    }
}

/// Asks the thread that prepares files.
#[derive(Debug)]
pub(super) struct Spare {
    /// None only while this is dropped.
    requests: Option<SyncSender<()>>,
    answers: Receiver<Result<(), NoSpare>>,
    asked: bool,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Spare {
    /// Waits for the thread, so that the next run has the directory to itself.
    fn drop(&mut self) {
        self.requests = None;
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl Spare {
    /// Starts the thread.
    pub(super) fn start(store: Arc<dyn Store>, room: Room) -> io::Result<Self> {
        let (requests, asked) = sync_channel::<()>(1);
        let (answer, answers) = sync_channel(1);
        let thread = thread::Builder::new()
            .name("trail-spare".to_owned())
            .spawn(move || while asked.recv().is_ok() && answer.send(room.prepare(&*store)).is_ok() {})?;
        Ok(Self { requests: Some(requests), answers, asked: false, thread: Some(thread) })
    }

    /// Has the next file made without waiting for it.
    pub(super) fn ask(&mut self) {
        self.asked = self.asked || self.requests.as_ref().is_some_and(|requests| requests.send(()).is_ok());
    }

    /// Waits until the file is there.
    pub(super) fn ready(&mut self) -> Result<(), NoSpare> {
        let was_asked_before = self.asked;
        match self.answer() {
            // Segments may have gone since that was found out.
            Err(NoSpare::Room) if was_asked_before => self.answer(),
            answer => answer,
        }
    }

    fn answer(&mut self) -> Result<(), NoSpare> {
        self.ask();
        self.asked = false;
        let gone = || NoSpare::Disk(io::Error::other("the thread that prepares segments is gone"));
        self.answers.recv().unwrap_or_else(|_| Err(gone()))
    }
}
