// SPDX-License-Identifier: Apache-2.0
//! After the client has gone: libvirtd may still be at work for it, and the trail is to tell how that ended.

use std::time::{Duration, Instant};

use super::connection::Connection;
use super::end::End;

/// How long answers are waited for that keep nobody waiting. What has none by then is recorded as unknown.
const PATIENCE: Duration = Duration::from_secs(if cfg!(test) { 1 } else { 30 });

impl Connection {
    /// Waits for the answers to recorded attempts. The client's wire is closed at once, its streams end, and
    /// nothing of it that was not judged yet goes on. What holds a turn is waited for as long as libvirtd is at
    /// work on it: until then, nobody else may change what it was judged by. Only libvirtd's end frees it sooner.
    pub(super) fn see_to_the_end(&mut self) {
        self.link.client.hang_up();
        self.abandoned.extend(self.asked.take().map(|asked| asked.id));
        self.abandon_readings();
        let until = Instant::now() + PATIENCE;
        while !self.pending.is_empty() && Instant::now() < until {
            if self.hear_of_outcomes(Some(until)).is_err() {
                return;
            }
        }
        self.pending.retain(|_, pending| pending.turn.is_some());
        while !self.pending.is_empty() {
            if self.hear_of_outcomes(None).is_err() {
                return;
            }
        }
        let _tried = self.bury();
    }

    fn hear_of_outcomes(&mut self, until: Option<Instant>) -> Result<(), End> {
        if !self.sort()? {
            self.wait(until)?;
        }
        Ok(())
    }

    /// What leaves no record needs no outcome, and nobody reads the other end of a stream any more.
    fn abandon_readings(&mut self) {
        let readings: Vec<_> = self
            .pending
            .iter()
            .filter(|(_, pending)| !pending.attempt.is_recorded())
            .map(|(id, _)| *id)
            .collect();
        for id in readings {
            self.pending.remove(&id);
            self.abandoned.insert(id);
        }
        for (id, streaming) in self.streams.drain().collect::<Vec<_>>() {
            drop(streaming);
            self.end_stream_upstream(id);
        }
    }
}
