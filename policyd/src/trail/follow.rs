// SPDX-License-Identifier: Apache-2.0
//! Readers that wait for new records. One that is too slow is told so and left behind; the committer
//! never waits for a reader.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How many records may wait for a reader.
const WAITING: usize = 1024;

/// What a follower gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// A line that has become durable, with its line feed.
    Line(Arc<[u8]>),
    /// Nothing in the time given.
    Quiet,
    /// The reader was too slow; what follows is not delivered. It must read the trail and follow anew.
    Lagged,
    /// The trail is closed.
    Closed,
}

/// A reader's end.
#[derive(Debug)]
pub struct Follower {
    lines: Receiver<Arc<[u8]>>,
    lagged: Arc<AtomicBool>,
}

impl Follower {
    /// The next line, or why there is none.
    pub fn next(&self, patience: Duration) -> News {
        match self.lines.recv_timeout(patience) {
            Ok(line) => News::Line(line),
            Err(RecvTimeoutError::Timeout) => News::Quiet,
            Err(RecvTimeoutError::Disconnected) if self.lagged.load(Ordering::Acquire) => News::Lagged,
            Err(RecvTimeoutError::Disconnected) => News::Closed,
        }
    }
}

#[derive(Debug)]
struct Outlet {
    lines: SyncSender<Arc<[u8]>>,
    lagged: Arc<AtomicBool>,
}

/// All who follow.
#[derive(Debug, Default)]
pub(super) struct Followers {
    outlets: Mutex<Vec<Outlet>>,
}

impl Followers {
    /// One more.
    pub(super) fn join(&self) -> Follower {
        let (send, lines) = sync_channel(WAITING);
        let lagged = Arc::new(AtomicBool::new(false));
        let outlet = Outlet { lines: send, lagged: Arc::clone(&lagged) };
        self.outlets.lock().unwrap_or_else(PoisonError::into_inner).push(outlet);
        Follower { lines, lagged }
    }

    /// A copy of what is about to be written, if anyone follows.
    pub(super) fn copy_for_any(&self, lines: &[u8]) -> Option<Vec<u8>> {
        let outlets = self.outlets.lock().unwrap_or_else(PoisonError::into_inner);
        (!outlets.is_empty()).then(|| lines.to_vec())
    }

    /// Hands durable lines to everyone who can take them at once; the others are dropped.
    pub(super) fn publish(&self, lines: &[u8]) {
        let mut outlets = self.outlets.lock().unwrap_or_else(PoisonError::into_inner);
        lines.split_inclusive(|byte| *byte == b'\n').for_each(|line| hand_out(&mut outlets, line));
    }

    /// Nothing more will come.
    pub(super) fn close(&self) {
        self.outlets.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

fn hand_out(outlets: &mut Vec<Outlet>, line: &[u8]) {
    let line: Arc<[u8]> = line.into();
    outlets.retain(|outlet| match outlet.lines.try_send(Arc::clone(&line)) {
        Ok(()) => true,
        Err(TrySendError::Full(_)) => {
            outlet.lagged.store(true, Ordering::Release);
            false
        }
        Err(TrySendError::Disconnected(_)) => false,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_millis(1);

    #[test]
    fn a_slow_reader_is_told_and_holds_nobody_up() {
        let followers = Followers::default();
        let (slow, quick) = (followers.join(), followers.join());
        for _ in 0..=WAITING {
            followers.publish(b"line\n");
            assert_eq!(quick.next(SOON), News::Line(b"line\n"[..].into()));
        }
        assert_eq!(quick.next(SOON), News::Quiet);
        for _ in 0..WAITING {
            assert_eq!(slow.next(SOON), News::Line(b"line\n"[..].into()));
        }
        assert_eq!(slow.next(SOON), News::Lagged);
    }

    #[test]
    fn a_follower_learns_of_the_end() {
        let followers = Followers::default();
        assert_eq!(followers.copy_for_any(b"line\n"), None);
        let follower = followers.join();
        assert_eq!(followers.copy_for_any(b"line\n").as_deref(), Some(&b"line\n"[..]));
        followers.close();
        assert_eq!(follower.next(SOON), News::Closed);
    }
}
