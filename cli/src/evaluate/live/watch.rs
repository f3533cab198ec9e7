// SPDX-License-Identifier: Apache-2.0
//! The trail, as it is written: what it says of a step is picked up while the step is fresh.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use virtwarden_core::control::{AuditFilter, Request};
use virtwarden_core::record::Event;
use virtwarden_core::trail::line::Line;

use crate::audit::row;
use crate::client::{Client, ask};
use crate::evaluate::report::RecordLine;
use crate::exit::Failed;

/// For how long a record is waited for. Refusals are written a moment after they are answered.
const PATIENCE: Duration = Duration::from_secs(5);
const TICK: Duration = Duration::from_millis(5);

/// Records of the trail since the evaluation began.
pub(super) struct Watch {
    lines: Arc<Mutex<Vec<Line>>>,
}

impl Watch {
    /// Begins to watch, and knows that it does when this returns.
    pub(super) fn begin(socket: &Path) -> Result<Self, Failed> {
        let watch = Self { lines: Arc::default() };
        let (lines, mut client) = (Arc::clone(&watch.lines), Client::connect(socket)?);
        // It ends with the process: nothing else would have policyd stop.
        thread::spawn(move || {
            client.records(&Request::AuditFollow { filter: AuditFilter::default() }, |text| {
                if let Ok(line) = Line::parse(text.as_bytes()) {
                    lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
                }
                Ok(())
            })
        });
        for _ in 0..20 {
            ask(socket, &Request::RoleList)?;
            if !watch.wait(0, Duration::from_millis(250), |event| event.operation == "role list").is_empty() {
                return Ok(watch);
            }
        }
        Err(Failed::error("policyd does not show the trail as it is written; try `virtwarden audit follow`"))
    }

    /// The sequence number of the newest record that is known.
    pub(super) fn end(&self) -> u64 {
        self.lock().last().map_or(0, |line| line.seq)
    }

    /// What fits after a sequence number, once anything does.
    pub(super) fn records(&self, after: u64, fits: impl Fn(&Event) -> bool) -> Vec<RecordLine> {
        self.wait(after, PATIENCE, fits)
    }

    /// What fits after a sequence number and is there already.
    pub(super) fn present(&self, after: u64, fits: impl Fn(&Event) -> bool) -> Vec<RecordLine> {
        let lines = self.lock();
        let fitting = lines.iter().filter(|line| line.seq > after && fits(&line.entry.event()));
        fitting.map(|line| RecordLine { sequence: line.seq, text: row::sentence(line) }).collect()
    }

    fn wait(&self, after: u64, longest: Duration, fits: impl Fn(&Event) -> bool) -> Vec<RecordLine> {
        let deadline = Instant::now() + longest;
        loop {
            let found = self.present(after, &fits);
            if !found.is_empty() || Instant::now() > deadline {
                return found;
            }
            thread::sleep(TICK);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
