// SPDX-License-Identifier: Apache-2.0
//! The two wires of one connection and its bell: one wait for all of them.

use std::sync::Arc;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::budget::Purse;
use super::wake::Wake;
use super::wire::{Frame, Reading, Wire, WireError};

/// Which wire ended the connection.
#[derive(Debug)]
pub(super) enum LinkError {
    /// The client's.
    Client(WireError),
    /// libvirtd's.
    Upstream(WireError),
    /// Waiting itself failed.
    Wait(std::io::Error),
}

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Woken {
    /// A wire moved.
    Traffic,
    /// The bell rang.
    Bell,
    /// The time is up.
    Late,
}

/// A client's wire, libvirtd's wire once there is one, and a bell.
#[derive(Debug)]
pub(super) struct Link {
    /// The client's wire.
    pub(super) client: Wire,
    /// libvirtd's wire.
    pub(super) upstream: Option<Wire>,
    /// Rung by other threads.
    pub(super) bell: Arc<Wake>,
    /// Where room for long messages comes from, on both wires.
    pub(super) purse: Purse,
}

impl Link {
    /// Sends what can be sent, then waits until something arrives, goes out, rings, or `until`.
    /// A side whose counterpart cannot take more is not read meanwhile.
    ///
    /// # Errors
    /// A wire broke.
    pub(super) fn wait(&mut self, until: Option<Instant>, client: Reading) -> Result<Woken, LinkError> {
        self.flush()?;
        let ready = self.poll(until, client)?;
        if ready.client {
            self.client.fill().map_err(LinkError::Client)?;
        }
        if let (Some(upstream), true) = (&mut self.upstream, ready.upstream) {
            upstream.fill().map_err(LinkError::Upstream)?;
        }
        self.flush()?;
        if ready.bell && self.bell.silence() {
            return Ok(Woken::Bell);
        }
        Ok(if ready.client || ready.upstream || ready.sent { Woken::Traffic } else { Woken::Late })
    }

    /// Sends what can be sent.
    ///
    /// # Errors
    /// A wire broke.
    pub(super) fn flush(&mut self) -> Result<(), LinkError> {
        self.client.flush().map_err(LinkError::Client)?;
        match &mut self.upstream {
            Some(upstream) => upstream.flush().map_err(LinkError::Upstream),
            None => Ok(()),
        }
    }

    /// The next frame from libvirtd.
    ///
    /// # Errors
    /// That wire is over.
    pub(super) fn upstream_frame(&mut self) -> Result<Option<Frame>, LinkError> {
        match &mut self.upstream {
            Some(upstream) => upstream.next_frame().map_err(LinkError::Upstream),
            None => Ok(None),
        }
    }

    fn poll(&self, until: Option<Instant>, client: Reading) -> Result<Ready, LinkError> {
        let upstream_full = self.upstream.as_ref().is_some_and(Wire::is_full);
        // Whoever takes no answers is asked no more questions: else they pile up here.
        let client_reading = if upstream_full || self.client.is_full() { Reading::Paused } else { client };
        let upstream_reading = if self.client.is_full() { Reading::Paused } else { Reading::Wanted };

        let nothing = || PollFd::new(&self.bell, PollFlags::empty());
        let upstream = self.upstream.as_ref().and_then(|wire| wire.wait_for(upstream_reading));
        let mut waits = [
            PollFd::new(&self.bell, PollFlags::IN),
            self.client.wait_for(client_reading).unwrap_or_else(nothing),
            upstream.unwrap_or_else(nothing),
        ];
        match poll(&mut waits, remaining(until).as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(LinkError::Wait(error.into())),
        }
        let [bell, client, upstream] = waits.each_ref().map(PollFd::revents);
        Ok(Ready {
            bell: bell.contains(PollFlags::IN),
            client: readable(client),
            upstream: readable(upstream),
            sent: (client | upstream).contains(PollFlags::OUT),
        })
    }
}

/// What a wait found.
#[derive(Clone, Copy, Debug)]
struct Ready {
    bell: bool,
    client: bool,
    upstream: bool,
    sent: bool,
}

/// A hang-up is read too: that is how its end is noticed.
fn readable(found: PollFlags) -> bool {
    found.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR)
}

fn remaining(until: Option<Instant>) -> Option<Timespec> {
    let left = until?.saturating_duration_since(Instant::now());
    Timespec::try_from(left).ok()
}
