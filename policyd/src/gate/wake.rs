// SPDX-License-Identifier: Apache-2.0
//! A bell that ends another thread's wait.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};

/// One thread's bell. Ringing twice is ringing once.
#[derive(Debug)]
pub struct Wake(OwnedFd);

impl Wake {
    /// A silent bell.
    ///
    /// # Errors
    /// No descriptor is left.
    pub fn new() -> std::io::Result<Self> {
        Ok(Self(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?))
    }

    /// Rings. A bell that is ringing already stays so.
    pub fn ring(&self) {
        let _rung = rustix::io::write(&self.0, &1u64.to_ne_bytes());
    }

    /// Waits until it rings or the time is over, and silences it; true if it rang.
    pub fn wait(&self, patience: Duration) -> bool {
        let mut waits = [PollFd::new(self, PollFlags::IN)];
        let _rung_or_over = poll(&mut waits, Timespec::try_from(patience).ok().as_ref());
        self.silence()
    }

    /// Silences the bell; true if it rang.
    pub fn silence(&self) -> bool {
        rustix::io::read(&self.0, &mut [0u8; 8]).is_ok()
    }
}

impl AsFd for Wake {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
