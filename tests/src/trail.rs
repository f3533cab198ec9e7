// SPDX-License-Identifier: Apache-2.0
//! The audit trail of a host, as its Administrator exports it.

use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;
use virtwarden_core::record::{Event, Kind, Outcome};

use crate::host::Host;

/// For how long a story waits until a record is there: refusals are written a moment after they are answered,
/// and where an account had many, they are counted for up to a minute first.
const PATIENCE: Duration = Duration::from_secs(90);

/// One record and its place in the trail.
#[derive(Clone, Debug, Deserialize)]
pub struct Recorded {
    /// Its sequence number.
    #[serde(rename = "seq")]
    pub sequence: u64,
    /// When it was written, in UTC: `2026-11-21T10:34:16.395324Z`.
    pub time: String,
    /// What it says.
    #[serde(rename = "record")]
    pub event: Event,
}

impl Recorded {
    /// Whether it is about this account.
    pub fn is_of(&self, person: &str) -> bool {
        self.event.actor.as_ref().is_some_and(|actor| actor.account.name == person)
    }

    /// Whether it is about this VM.
    pub fn is_about(&self, vm: &str) -> bool {
        self.event.targets.iter().any(|target| target.name.as_deref() == Some(vm))
    }

    /// For how many alike it stands.
    pub fn weight(&self) -> u64 {
        self.event.count.unwrap_or(1)
    }

    /// Whether it is of a kind and ended so.
    pub fn is(&self, kind: Kind, outcome: Outcome) -> bool {
        self.event.kind == kind && self.event.outcome == outcome
    }
}

/// The sequence number of the last line; 0 where there is none.
///
/// # Panics
/// The trail cannot be read.
pub fn end(host: &Host) -> u64 {
    let last = export(host, "| tail -n 1");
    let line: Option<serde_json::Value> = serde_json::from_str(&last).ok();
    line.and_then(|line| line.get("seq")?.as_u64()).unwrap_or(0)
}

/// All records after a sequence number that are there now.
///
/// # Panics
/// The trail cannot be read.
pub fn after(host: &Host, sequence: u64) -> Vec<Recorded> {
    let lines = export(host, &format!("--from {}", sequence + 1));
    lines.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// Looks at the records after a sequence number until they are as they must be.
///
/// # Errors
/// What was still not so when patience ended.
pub fn until<T>(
    host: &Host,
    sequence: u64,
    look: impl Fn(&[Recorded]) -> Result<T, String>,
) -> Result<T, String> {
    eventually(|| look(&after(host, sequence)))
}

/// Looks again and again, for as long as a record may take to be written.
///
/// # Errors
/// What was still not so when patience ended.
pub fn eventually<T>(look: impl Fn() -> Result<T, String>) -> Result<T, String> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let found = look();
        if found.is_ok() || Instant::now() > deadline {
            return found;
        }
        thread::sleep(Duration::from_secs(1));
    }
}

/// What root's login exports. A story that has just changed the policy may be early: it is asked again.
fn export(host: &Host, words: &str) -> String {
    let script = format!("set -o pipefail; timeout 60 virtwarden audit export {words}");
    let deadline = Instant::now() + PATIENCE;
    loop {
        let ran = host.run_as("root", &["bash", "-c", &script]);
        if ran.succeeded() {
            return ran.out;
        }
        assert!(Instant::now() < deadline, "the trail cannot be read: exit code {}: {}", ran.code, ran.err);
        thread::sleep(Duration::from_secs(1));
    }
}
